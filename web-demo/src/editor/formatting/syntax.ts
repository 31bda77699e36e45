/** What the Markdown at a place of the text is, as the editor's own parser sees it. */

import { ensureSyntaxTree, syntaxTree } from '@codemirror/language';
import type { EditorState } from '@codemirror/state';

/** The syntax tree's node, as far as the commands need it. */
export type SyntaxNode = ReturnType<ReturnType<typeof syntaxTree>['resolve']>;

/** Parses up to `to` first, for at most a moment: in a long text the tree may end earlier and the answer is then "none". */
export function nodesBetween(state: EditorState, from: number, to: number, names: ReadonlySet<string>): SyntaxNode[] {
  const nodes: SyntaxNode[] = [];
  (ensureSyntaxTree(state, to, PARSE_WITHIN_MS) ?? syntaxTree(state)).iterate({
    from,
    to,
    enter: ({ name, node }) => {
      if (names.has(name)) nodes.push(node);
    },
  });
  return nodes;
}

/** The innermost node of this name that holds the whole range. */
export function nodeAround(state: EditorState, from: number, to: number, name: string): SyntaxNode | undefined {
  return nodesBetween(state, from, to, new Set([name])).findLast((node) => node.from <= from && node.to >= to);
}

export function isCodeBlockAt(state: EditorState, position: number): boolean {
  return nodesBetween(state, position, position, CODE_BLOCKS).some((node) => node.from <= position && node.to >= position);
}

export const CODE_BLOCKS: ReadonlySet<string> = new Set(['FencedCode', 'CodeBlock']);
const PARSE_WITHIN_MS = 50;
