/**
 * The editor's Markdown, bounded: what is nested deeper than anybody writes is plain text.
 *
 * Highlighting goes through the syntax tree by recursion. A peer who sends ten thousand quote marks in a line would
 * otherwise end it, with an overflow of the stack, in everybody's editor.
 */

import { markdownLanguage } from '@codemirror/lang-markdown';
import { Language } from '@codemirror/language';
import { MarkdownParser, type InlineContext, type MarkdownConfig } from '@lezer/markdown';

/** Marks seen in the paragraph that is being parsed. */
const marksSeen = new WeakMap<InlineContext, number>();

const bounds: MarkdownConfig = {
  parseBlock: [
    {
      name: 'TooDeep',
      before: 'LinkReference',
      parse(context, line) {
        if (context.depth < DEEPEST) return false;
        context.addElement(context.elt('Paragraph', context.lineStart + line.pos, context.lineStart + line.text.length));
        context.nextLine();
        return true;
      },
    },
  ],
  parseInline: [
    {
      name: 'TooMany',
      before: 'Escape',
      parse(context, character, position) {
        if (!MARKS.has(character)) return -1;
        const seen = (marksSeen.get(context) ?? 0) + 1;
        marksSeen.set(context, seen);
        return seen > MOST_MARKS ? position + 1 : -1;
      },
    },
  ],
};

const MARKS: ReadonlySet<number> = new Set([...'*_~^[!'].map((mark) => mark.charCodeAt(0)));
/** A list counts twice. */
const DEEPEST = 40;
/** Per paragraph; the deepest nesting is half of it. */
const MOST_MARKS = 1000;

export const boundedMarkdown = new Language(markdownLanguage.data, boundedParser(), [], 'markdown');

function boundedParser(): MarkdownParser {
  const { parser } = markdownLanguage;
  if (!(parser instanceof MarkdownParser)) throw new Error('the Markdown language is parsed by something else');
  return parser.configure(bounds);
}
