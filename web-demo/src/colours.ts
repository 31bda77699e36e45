/** Colours of people: a palette for ourselves, and safe reading of what other clients send. */

export interface Colour {
  readonly label: string;
  /** `#rrggbb`, at least 4.5 : 1 against white. */
  readonly value: string;
}

export const PALETTE: readonly Colour[] = [
  { label: 'Blue', value: '#1d6fb8' },
  { label: 'Green', value: '#1d7a46' },
  { label: 'Red', value: '#c2362f' },
  { label: 'Purple', value: '#7d4bc0' },
  { label: 'Orange', value: '#b3540c' },
  { label: 'Teal', value: '#0b7678' },
  { label: 'Pink', value: '#b8327e' },
  { label: 'Olive', value: '#6b6b12' },
  { label: 'Indigo', value: '#4a57c9' },
  { label: 'Brown', value: '#8a5a3b' },
];

/** The colour behind selected text: the same hue, mostly transparent, so that text stays readable in light and dark. */
export function lightened(colour: string): string {
  return `${colour}40`;
}

/** A colour that a peer sent, or one chosen by `seed` when it is not a plain `#rrggbb`: it ends up in a style. */
export function parseColour(sent: unknown, seed: number): string {
  if (typeof sent === 'string' && /^#[0-9a-f]{6}$/i.test(sent)) return sent;
  return PALETTE[seed % PALETTE.length]?.value ?? '#1d6fb8';
}

/** Black or white, whichever is easier to read on `colour`. */
export function readableOn(colour: string): '#000000' | '#ffffff' {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => linear(parseInt(colour.slice(at, at + 2), 16) / 255));
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return luminance > 0.1791 ? '#000000' : '#ffffff';
}

/** sRGB channel to linear light, as in WCAG 2 relative luminance. */
function linear(channel: number): number {
  return channel <= 0.03928 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
}
