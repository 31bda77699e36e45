import { describe, expect, test } from 'vitest';
import { BOLD, hasInlineMark, INLINE_CODE, ITALIC, STRIKETHROUGH, toggleInlineMark, type InlineMark } from './inline-marks';
import { after, stateOf } from './selected-text';

const toggle = (text: string, mark: InlineMark): string => after(text, (state) => toggleInlineMark(state, mark));

describe('a selection', () => {
  test.each([
    ['a «b» c', BOLD, 'a **«b»** c'],
    ['a «b» c', ITALIC, 'a *«b»* c'],
    ['a «b» c', STRIKETHROUGH, 'a ~~«b»~~ c'],
    ['a «b» c', INLINE_CODE, 'a `«b»` c'],
    ['a« b »c', BOLD, 'a« **b** »c'],
    ['- «item»', BOLD, '- **«item»**'],
    ['«- [ ] item»', BOLD, '«- [ ] **item»**'],
    ['> ## «Title»', ITALIC, '> ## *«Title»*'],
    ['«one\n\ntwo»', BOLD, '**«one**\n\n**two»**'],
    ['«- one\n- two»', STRIKETHROUGH, '«- ~~one~~\n- ~~two»~~'],
    ['«a`b»', INLINE_CODE, '``«a`b»``'],
    ['*«a»*', BOLD, '***«a»***'],
  ])('%s gets its mark', (before, mark, expected) => {
    expect(toggle(before, mark)).toBe(expected);
  });

  test.each([
    ['a **«b»** c', BOLD, 'a «b» c'],
    ['a «**b**» c', BOLD, 'a «b» c'],
    ['a __«b»__ c', BOLD, 'a «b» c'],
    ['a _«b»_ c', ITALIC, 'a «b» c'],
    ['***«a»***', BOLD, '*«a»*'],
    ['***«a»***', ITALIC, '**«a»**'],
    ['**«one**\n\n**two»**', BOLD, '«one\n\ntwo»'],
    ['``«a`b»``', INLINE_CODE, '«a`b»'],
  ])('%s loses its mark', (before, mark, expected) => {
    expect(toggle(before, mark)).toBe(expected);
  });

  test('a part of marked text loses the mark alone', () => {
    expect(toggle('**one «two» three**', BOLD)).toBe('**one** «two» **three**');
    expect(toggle('**«one» two**', BOLD)).toBe('«one» **two**');
    expect(toggle('**one «two»**', BOLD)).toBe('**one** «two»');
    expect(toggle('*one **two «three»***', ITALIC)).toBe('*one* **two «three»**');
  });

  test('a selection that is marked in part becomes marked as a whole', () => {
    expect(toggle('«a **b** c»', BOLD)).toBe('**«a b c»**');
    expect(toggle('**a «b** c»', BOLD)).toBe('**a «b c»**');
    expect(toggle('«a **b» c**', BOLD)).toBe('**«a b» c**');
  });

  test('a mark never cuts another one or a link in two', () => {
    expect(toggle('«a *b» c*', BOLD)).toBe('**«a *b» c***');
    expect(toggle('[a «link](http://x.y) b»', BOLD)).toBe('**[a «link](http://x.y) b»**');
  });

  test('nothing happens to blank selections and in code blocks', () => {
    expect(toggle('a«  »b', BOLD)).toBe('a«  »b');
    expect(toggle('```\n«x»\n```', BOLD)).toBe('```\n«x»\n```');
  });
});

describe('a cursor', () => {
  test('gets a pair to type into, which the second press takes away', () => {
    expect(toggle('a ¦', BOLD)).toBe('a **¦**');
    expect(toggle('a **¦**', BOLD)).toBe('a ¦');
    expect(toggle('**¦**', ITALIC)).toBe('***¦***');
  });

  test('inside of a word marks the word, and takes the mark off it', () => {
    expect(toggle('some wo¦rd', ITALIC)).toBe('some *wo¦rd*');
    expect(toggle('some *wo¦rd*', ITALIC)).toBe('some wo¦rd');
  });

  test('at the end of marked text steps out of it', () => {
    expect(toggle('**done¦**', BOLD)).toBe('**done**¦');
  });
});

test('what is pressed follows the selection', () => {
  expect(hasInlineMark(stateOf('**«a»** b'), BOLD)).toBe(true);
  expect(hasInlineMark(stateOf('**«a** b»'), BOLD)).toBe(false);
  expect(hasInlineMark(stateOf('**a¦**'), BOLD)).toBe(true);
  expect(hasInlineMark(stateOf('**a**¦'), BOLD)).toBe(false);
});
