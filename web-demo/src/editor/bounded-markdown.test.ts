import { expect, test } from 'vitest';
import { boundedMarkdown } from './bounded-markdown';

test.each([
  ['quotes', '> '.repeat(10_000)],
  ['lists', '- '.repeat(10_000)],
  ['quotes over many lines', `${'>'.repeat(500)} a\n`.repeat(20)],
  ['emphasis', `${'*a _b '.repeat(5_000)}${'c_ d* '.repeat(5_000)}`],
  ['brackets', `${'['.repeat(10_000)}a${']'.repeat(10_000)}`],
])('%s inside of one another end at a depth that recursion bears', (_name, text) => {
  expect(depthOf(text)).toBeLessThan(600);
});

test('what people write is parsed as before', () => {
  const text = '> - [ ] **a *b***\n>   1. c\n\n`d`';
  expect(boundedMarkdown.parser.parse(text).toString()).toContain('Blockquote(QuoteMark,BulletList(ListItem(ListMark,Task(TaskMarker,StrongEmphasis');
});

function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  boundedMarkdown.parser.parse(text).iterate({
    enter: () => {
      depth += 1;
      deepest = Math.max(deepest, depth);
    },
    leave: () => {
      depth -= 1;
    },
  });
  return deepest;
}
