/** One line of Markdown taken apart: quote marks, indent, list marker, task box, heading mark, and what is left. */

export interface MarkedLine {
  /** `> > ` with the spaces around. */
  readonly quote: string;
  readonly indent: string;
  /** `- `, `12. ` with the spaces behind; empty outside of lists. */
  readonly marker: string;
  /** `[ ] ` with the spaces behind; only after a marker. */
  readonly box: string;
  /** `## ` with the spaces behind. */
  readonly heading: string;
  readonly content: string;
}

export function parseMarkedLine(line: string): MarkedLine {
  const [, quote = '', indent = '', marker = '', box = '', heading = '', content = ''] = SHAPE.exec(line) ?? [];
  return { quote, indent, marker, box, heading, content };
}

/** Where the text of the line begins, behind all marks. */
export function contentOffset({ quote, indent, marker, box, heading }: MarkedLine): number {
  return quote.length + indent.length + marker.length + box.length + heading.length;
}

export function isBlank({ marker, content }: MarkedLine): boolean {
  return marker === '' && content.trim() === '';
}

const SHAPE =
  /^((?:[ \t]*>[ \t]?)*)([ \t]*)((?:[-*+]|\d{1,9}[.)])(?:[ \t]+|$))?((?<=[ \t])\[[ xX]\](?:[ \t]+|$))?(#{1,6}(?:[ \t]+|$))?(.*)$/s;
