/** Breaks text into lines of a width, and finds the size at which a note's text fits. */

import { LINE_HEIGHT, type Fonts } from './fonts';

/** Lines break at spaces, and inside a word only where it is wider than a whole line. Never quadratic in the text. */
export function brokenLines(text: string, width: number, fontSize: number, fonts: Fonts): readonly string[] {
  return text.split('\n').flatMap((paragraph) => brokenParagraph(paragraph, width, (part) => fonts.width(part, fontSize)));
}

export interface FittedText {
  readonly lines: readonly string[];
  readonly fontSize: number;
}

/** The largest size up to `fontSize`, but not below the smallest, at which the text fits; what does not fit runs over. */
export function fittedText(text: string, room: { width: number; height: number }, fontSize: number, fonts: Fonts): FittedText {
  const smallest = Math.min(fontSize, SMALLEST_FITTED);
  for (let size = fontSize; ; size = Math.max(smallest, size * SHRINK)) {
    const lines = brokenLines(text, room.width, size, fonts);
    if (size <= smallest || lines.length * size * LINE_HEIGHT <= room.height) return { lines, fontSize: size };
  }
}

function brokenParagraph(paragraph: string, width: number, measure: (text: string) => number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  let used = 0;
  for (const word of paragraph.split(/(?<=\s)(?=\S)/)) {
    const wordWidth = measure(word.trimEnd());
    if (line !== '' && used + wordWidth > width) {
      lines.push(line.trimEnd());
      line = '';
      used = 0;
    }
    if (wordWidth > width) {
      const pieces = piecesOf(word, width, measure);
      lines.push(...pieces.slice(0, -1));
      line = pieces.at(-1) ?? '';
      used = measure(line);
    } else {
      line += word;
      used += measure(word);
    }
  }
  return [...lines, line.trimEnd()];
}

function piecesOf(word: string, width: number, measure: (text: string) => number): readonly string[] {
  const pieces: string[] = [];
  let piece = '';
  let used = 0;
  for (const letter of word) {
    const letterWidth = measure(letter);
    if (piece !== '' && used + letterWidth > width) {
      pieces.push(piece);
      piece = '';
      used = 0;
    }
    piece += letter;
    used += letterWidth;
  }
  return [...pieces, piece];
}

const SMALLEST_FITTED = 10;
const SHRINK = 0.9;
