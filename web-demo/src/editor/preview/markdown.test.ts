import { expect, test } from 'vitest';
import { parseBlock, topLevelBlocks } from './markdown';

test.each(['> ', '- ', '1. '])('ten thousand times %j is bounded, and hides nothing of what follows', (mark) => {
  const text = `${mark.repeat(10_000)}end\n\nnext`;
  expect([...topLevelBlocks(text)]).toHaveLength(2);
  const tokens = parseBlock(text, {});
  expect(Math.max(...tokens.map((token) => token.level))).toBeLessThan(50);
  expect(tokens.some((token) => token.content.endsWith('end'))).toBe(true);
  expect(tokens.at(-2)?.content).toBe('next');
});

test('raw HTML is text', () => {
  const tokens = parseBlock('<b onclick="x()">a</b>\n\n<script>b</script>', {});
  expect(tokens.some(({ type, children }) => type.startsWith('html') || children?.some((child) => child.type.startsWith('html')))).toBe(false);
});

test('bare addresses are links, names of files are not', () => {
  const links = (text: string): number =>
    parseBlock(text, {}).flatMap((token) => token.children ?? []).filter((token) => token.type === 'link_open').length;
  expect(links('https://a.example and a@b.example')).toBe(2);
  expect(links('readme.md')).toBe(0);
});
