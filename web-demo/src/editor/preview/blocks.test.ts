import { ChangeSet, Text } from '@codemirror/state';
import { describe, expect, test } from 'vitest';
import { blockEdits, blockAt, splitBlocks, startsOf, type Block, type ChangedRange } from './blocks';

const sources = (text: string): string[] => splitBlocks(text).map((block) => block.source);

describe('a text', () => {
  test('falls into its top-level blocks, which together are the text', () => {
    expect(sources('# A\ntext\n\n- a\n\n- b\n\n> q\nlazy\n\n```\n\nx\n```\nend')).toEqual([
      '# A\n',
      'text\n\n',
      '- a\n\n- b\n\n',
      '> q\nlazy\n\n',
      '```\n\nx\n```\n',
      'end',
    ]);
    expect(sources('\n\n a')).toEqual(['\n\n a']);
    expect(sources(' \n\n')).toEqual([' \n\n']);
    expect(sources('')).toEqual([]);
  });

  test('tells which link addresses a block defines', () => {
    expect(splitBlocks('[a]: /x\n[b]: /y\n\ntext').map((block) => block.references)).toEqual([
      { A: { title: '', href: '/x' } },
      { B: { title: '', href: '/y' } },
      undefined,
    ]);
  });

  test('that is longer than a window is split as a whole', () => {
    const code = `\`\`\`\n${'let a;\n\n'.repeat(9000)}\`\`\`\n`;
    expect(sources(`a\n\n${code}b`)).toEqual(['a\n\n', code, 'b']);
    expect(sources(`${'word '.repeat(200_000)}\n\nb`)).toHaveLength(2);
  });
});

describe('edits', () => {
  test('parse only around themselves', () => {
    const text = 'para\n\n'.repeat(1000);
    const { edits } = edited(text, [{ from: 3000, insert: 'new' }]);
    expect(edits).toHaveLength(1);
    expect(edits[0]?.blocks.length).toBeLessThan(5);
  });

  test('far from each other are read apart', () => {
    const text = 'para\n\n'.repeat(1000);
    const { edits } = edited(text, [{ from: 60, insert: 'a' }, { from: 5400, to: 5412 }]);
    expect(edits).toHaveLength(2);
    expect(edits.every(({ blocks }) => blocks.length < 6)).toBe(true);
  });

  test('of any kind leave the blocks that a whole parse gives', () => {
    const random = seeded(7);
    for (let round = 0; round < 1500; round += 1) {
      const text = Array.from({ length: 1 + random(14) }, () => PIECES[random(PIECES.length)]).join('');
      const changes: { from: number; to: number; insert: string }[] = [];
      for (let count = 1 + random(3), from = 0; count > 0 && from <= text.length; count -= 1) {
        const start = from + random(Math.max(1, text.length - from + 1));
        const end = Math.min(text.length, start + random(9));
        changes.push({ from: start, to: end, insert: random(3) === 0 ? '' : (PIECES[random(PIECES.length)] ?? '') });
        from = end + 1;
      }
      const { result, after } = edited(text, changes);
      expect(result.map(({ source }) => source), JSON.stringify({ text, changes })).toEqual(sources(after));
      expect(result.map(({ references }) => references)).toEqual(splitBlocks(after).map(({ references }) => references));
    }
  });
});

test('a position is found in its block', () => {
  const starts = startsOf([{ source: 'ab' }, { source: 'c' }, { source: 'def' }]);
  expect([0, 1, 2, 3, 5, 6, 99].map((position) => blockAt(starts, position))).toEqual([0, 0, 1, 2, 2, 2, 2]);
  expect(blockAt(startsOf([]), 3)).toBe(0);
});

function edited(text: string, specs: readonly { from: number; to?: number; insert?: string }[]): {
  edits: ReturnType<typeof blockEdits>;
  result: Block[];
  after: string;
} {
  const changes = ChangeSet.of([...specs], text.length, '\n');
  const after = changes.apply(Text.of(text.split('\n'))).toString();
  const ranges: ChangedRange[] = [];
  changes.iterChangedRanges((fromA, toA, fromB, toB) => ranges.push({ fromA, toA, fromB, toB }));
  const old = splitBlocks(text);
  const edits = blockEdits(old, after, ranges);
  const result = [...old];
  for (const { start, end, blocks } of edits.toReversed()) result.splice(start, end - start, ...blocks);
  return { edits, result, after };
}

function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const PIECES: readonly string[] = [
  'a', 'b c\n', '\n', '\n\n', '# h\n', '- i\n', '  - j\n', '1. k\n', '> q\n', '```\n', '    code\n', '---\n', '===\n', '|a|b|\n', '|-|-|\n',
  '[a]: /x\n', "[b]: /y\n'ti\n", "tle'\n", ' ', '\t', '*x*\n\n', '\\\n', '- \n', '>', '~~~\n', '| c |\n',
];
