import { expect, test } from 'vitest';
import { insertRule, insertTable, isInCodeBlock, isInLink, toggleCodeBlock, toggleLink } from './inserts';
import { after, stateOf } from './selected-text';

test('a link goes around the selection with its address to fill in, and comes off again', () => {
  expect(after('see «this»', toggleLink)).toBe('see [this](«https://»)');
  expect(after('¦', toggleLink)).toBe('[«link»](https://)');
  expect(after('«https://x.y/z»', toggleLink)).toBe('[¦](https://x.y/z)');
  expect(after('see [th¦is](https://x.y)', toggleLink)).toBe('see th¦is');
  expect(isInLink(stateOf('[a¦](b)'))).toBe(true);
});

test('a code block goes around whole lines, outlasts backticks inside, and comes off again', () => {
  expect(after('a «b» c', toggleCodeBlock)).toBe('```\na «b» c\n```');
  expect(after('¦', toggleCodeBlock)).toBe('```\n¦\n```');
  expect(after('a «```» b', toggleCodeBlock)).toBe('````\na «```» b\n````');
  expect(after('x\n\n```js\nco¦de\n```\n\ny', toggleCodeBlock)).toBe('x\n\nco¦de\n\ny');
  expect(after('```\ncode¦', toggleCodeBlock)).toBe('code¦');
  expect(isInCodeBlock(stateOf('```\na¦\n```'))).toBe(true);
});

test('a table and a rule stand between blank lines', () => {
  expect(after('a¦\nb', insertTable)).toMatch(/^a\n\n\| «Column 1» \|.*\n\|[ -|]+\n\|[ |]+\n\nb$/);
  expect(after('a¦', insertRule)).toBe('a\n\n---\n¦');
  expect(after('a\n¦', insertRule)).toBe('a\n\n---\n¦');
  expect(after('¦', insertRule)).toBe('---\n¦');
});
