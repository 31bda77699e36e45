/**
 * The Markdown of the preview: CommonMark with tables, strikethrough and bare addresses as links.
 *
 * Raw HTML is text, nesting is bounded (what is deeper stands there as it was written), and a line break in the source is one in the preview, since that is how people
 * who type together in one text understand what they see.
 */

import MarkdownIt, { type Env, type StateBlock, type Token } from 'markdown-it';

export type References = NonNullable<Env['references']>;

/** Parses one block's source; `references` are those of the whole text. Never throws. */
export function parseBlock(source: string, references: References): readonly Token[] {
  return markdown.parse(source, { references: { ...references } });
}

export interface BlockEnd {
  /** Where the next block begins. */
  readonly end: number;
  /** The link addresses that the block defines. */
  readonly references: References | undefined;
}

/**
 * Goes through the top-level blocks of `source`, of which the first begins at its start. Only block structure is read,
 * which takes a fifth of the time of a whole parse.
 */
export function* topLevelBlocks(source: string): Generator<BlockEnd> {
  const env: Env = {};
  const state = new markdown.block.State(source, markdown, env, []);
  const rules = markdown.block.ruler.getRules('');
  let line = state.skipEmptyLines(0);
  while (line < state.lineMax) {
    state.line = line;
    for (const rule of rules) if (rule(state, line, state.lineMax, false)) break;
    line = state.skipEmptyLines(Math.max(state.line, line + 1));
    const { references } = env;
    delete env.references;
    state.tokens.length = 0;
    yield { end: line < state.lineMax ? (state.bMarks[line] ?? source.length) : source.length, references };
  }
}

/** A line inside of too many lists and quotes is a paragraph of its own. */
function tooDeep(state: StateBlock, line: number, _end: number, silent: boolean): boolean {
  if (silent || state.level < DEEPEST) return false;
  state.push('paragraph_open', 'p', 1).map = [line, line + 1];
  const text = state.push('inline', '', 0);
  text.content = state.getLines(line, line + 1, state.blkIndent, false).trim();
  text.map = [line, line + 1];
  text.children = [];
  state.push('paragraph_close', 'p', -1);
  state.line = line + 1;
  return true;
}

/** A list counts twice. */
const DEEPEST = 40;

const markdown = new MarkdownIt({
  html: false,
  linkify: true,
  typographer: false,
  breaks: true,
});
// `readme.md` is a file here, not a host in Moldova.
markdown.linkify.set({ fuzzyLink: false });
// Before every other rule; the parser's own bound would swallow the rest of the text.
markdown.block.ruler.before('table', 'too_deep', tooDeep);
