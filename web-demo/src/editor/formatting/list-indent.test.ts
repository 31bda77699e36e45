import { expect, test } from 'vitest';
import { indentList } from './list-indent';
import { after } from './selected-text';

test('an item goes into the one above it, as deep as its marker is wide, and out again', () => {
  const into = (text: string): string => after(text, (state) => indentList(state, 'in'));
  const out = (text: string): string => after(text, (state) => indentList(state, 'out'));
  expect(into('- a\n- b¦')).toBe('- a\n  - b¦');
  expect(into('1. a\n2. b¦')).toBe('1. a\n   2. b¦');
  expect(into('> - a\n> - [ ] b¦')).toBe('> - a\n>   - [ ] b¦');
  expect(out('- a\n  - b¦')).toBe('- a\n- b¦');
  expect(out('- a¦')).toBe('- a¦');
  expect(into('- a\n- «b\n  - c»')).toBe('- a\n  - «b\n    - c»');
  expect(into('- a¦')).toBe('- a¦');
  expect(into('- a\n  - b¦')).toBe('- a\n  - b¦');
  expect(into('text¦')).toBe('text¦');
});
