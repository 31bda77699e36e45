import { describe, expect, test } from 'vitest';
import { headingLevel, isQuoted, listKind, setHeading, toggleList, toggleQuote, type HeadingLevel, type ListKind } from './line-marks';
import { after, stateOf } from './selected-text';

const list = (text: string, kind: ListKind): string => after(text, (state) => toggleList(state, kind));
const heading = (text: string, level: HeadingLevel): string => after(text, (state) => setHeading(state, level));

describe('lists', () => {
  test('a line becomes an item and a plain line again', () => {
    expect(list('¦', 'bulleted')).toBe('- ¦');
    expect(list('milk¦', 'task')).toBe('- [ ] milk¦');
    expect(list('- [x] milk¦', 'task')).toBe('milk¦');
    expect(list('3. milk¦', 'numbered')).toBe('milk¦');
    expect(list('> milk¦', 'bulleted')).toBe('> - milk¦');
  });

  test('several lines are numbered; blank ones between stay', () => {
    expect(list('«a\n\nb\nc»', 'numbered')).toBe('1. «a\n\n2. b\n3. c»');
  });

  test('a mixed selection becomes one list, and only then is taken off', () => {
    expect(list('«- a\nb»', 'bulleted')).toBe('«- a\n- b»');
    expect(list('«- a\n- b»', 'bulleted')).toBe('«a\nb»');
  });

  test('one list becomes another; done tasks stay done', () => {
    expect(list('«- a\n- b»', 'numbered')).toBe('«1. a\n2. b»');
    expect(list('«- [x] a\n- b»', 'task')).toBe('«- [x] a\n- [ ] b»');
    expect(list('«- [x] a»', 'bulleted')).toBe('«- a»');
  });

  test('nested items stay nested under wider markers and are counted for themselves', () => {
    expect(list('«- a\n  - b\n  - c\n- d»', 'numbered')).toBe('«1. a\n   1. b\n   2. c\n2. d»');
    expect(list('«1. a\n   1. b\n2. c»', 'bulleted')).toBe('«- a\n  - b\n- c»');
  });

  test('the kind is known only when all lines agree', () => {
    expect(listKind(stateOf('«- a\n- b»'))).toBe('bulleted');
    expect(listKind(stateOf('«- a\n1. b»'))).toBeUndefined();
    expect(listKind(stateOf('- [ ] a¦'))).toBe('task');
    expect(listKind(stateOf('a - b¦'))).toBeUndefined();
  });
});

describe('quotes', () => {
  test('go on and off, a level at a time, over blank lines', () => {
    const quote = (text: string): string => after(text, toggleQuote);
    expect(quote('«a\n\nb»')).toBe('> «a\n>\n> b»');
    expect(quote('«> a\n>\n> b»')).toBe('«a\n\nb»');
    expect(quote('«> a\nb»')).toBe('> «> a\n> b»');
    expect(quote('> > a¦')).toBe('> a¦');
    expect(quote('¦')).toBe('> ¦');
    expect(isQuoted(stateOf('> a¦'))).toBe(true);
  });
});

describe('headings', () => {
  test('replace one another and go away', () => {
    expect(heading('Title¦', 1)).toBe('# Title¦');
    expect(heading('# Title¦', 3)).toBe('### Title¦');
    expect(heading('### Title¦', 0)).toBe('Title¦');
    expect(heading('> Title¦', 2)).toBe('> ## Title¦');
    expect(heading('¦', 2)).toBe('## ¦');
  });

  test('an underlined heading loses its underline', () => {
    expect(headingLevel(stateOf('Title¦\n=====\n\ntext'))).toBe(1);
    expect(heading('Title¦\n=====\n\ntext', 2)).toBe('## Title¦\n\ntext');
    expect(heading('Title¦\n---', 0)).toBe('Title¦');
  });

  test('every selected line of text gets the level', () => {
    expect(heading('«a\n\nb»', 2)).toBe('## «a\n\n## b»');
  });
});
