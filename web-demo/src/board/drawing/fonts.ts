/** How wide text is. Board text is set in the system's sans-serif font; where its lines break depends on it. */

import type { TextMeasure } from '../model/reading';

export interface Fonts {
  /** The width of one line, in board units. */
  readonly width: (text: string, fontSize: number) => number;
  /** From the top of a line to its baseline. */
  readonly baseline: (fontSize: number) => number;
}

export const FONT_FAMILY = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'Liberation Sans', sans-serif";
/** Of the font's size. */
export const LINE_HEIGHT = 1.3;

/** Measures with the browser's fonts. Widths are taken at one size and scaled, so that zooming never breaks lines anew. */
export function browserFonts(): Fonts {
  const context = document.createElement('canvas').getContext('2d');
  if (context === null) throw new Error('the browser offers no canvas');
  context.font = `${MEASURED_AT}px ${FONT_FAMILY}`;
  const { fontBoundingBoxAscent: ascent, fontBoundingBoxDescent: descent } = context.measureText('x');
  const toBaseline = (LINE_HEIGHT * MEASURED_AT - ascent - descent) / 2 + ascent;
  return {
    width: (text, fontSize) => (context.measureText(text).width * fontSize) / MEASURED_AT,
    baseline: (fontSize) => (toBaseline * fontSize) / MEASURED_AT,
  };
}

export function measureWith(fonts: Fonts): TextMeasure {
  return (text, fontSize) => {
    const lines = text.split('\n');
    const width = Math.max(...lines.map((line) => fonts.width(line, fontSize)));
    return { width: Math.max(width, fontSize / 2), height: lines.length * fontSize * LINE_HEIGHT };
  };
}

const MEASURED_AT = 100;
