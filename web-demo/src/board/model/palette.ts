/** The colours of shapes by name, so that a board is readable on light and on dark paper. docs/whiteboard-schema.md has the table. */

export const COLOUR_NAMES = ['ink', 'grey', 'red', 'orange', 'yellow', 'green', 'teal', 'blue', 'purple', 'pink'] as const;

export type ColourName = (typeof COLOUR_NAMES)[number];

export type Paper = 'light' | 'dark';

/** What a part of a drawing is painted with; becomes a colour only when it is painted on a paper. */
export type Paint =
  | { readonly kind: 'strong'; readonly colour: ColourName }
  | { readonly kind: 'pale'; readonly colour: ColourName }
  | { readonly kind: 'paper' };

/** The `#rrggbb` of a paint on a paper. */
export function colourOf(paint: Paint, paper: Paper): string {
  if (paint.kind === 'paper') return PAPER[paper];
  return TONES[paint.colour][paper][paint.kind];
}

export const PAPER: Readonly<Record<Paper, string>> = { light: '#ffffff', dark: '#1b2025' };

interface Tones {
  readonly strong: string;
  readonly pale: string;
}

function tones(light: string, dark: string, paleLight: string, paleDark: string): Readonly<Record<Paper, Tones>> {
  return { light: { strong: light, pale: paleLight }, dark: { strong: dark, pale: paleDark } };
}

const TONES: Readonly<Record<ColourName, Readonly<Record<Paper, Tones>>>> = {
  ink: tones('#1b2126', '#e6e9ec', '#e3e6e9', '#3a424a'),
  grey: tones('#5f6973', '#a2acb6', '#eceef0', '#2f363d'),
  red: tones('#c2362f', '#ff8f85', '#fbdcd9', '#552623'),
  orange: tones('#b3540c', '#f5a55e', '#fbe3cd', '#50321a'),
  yellow: tones('#8a6a00', '#e8c648', '#fdf0b5', '#4a3f14'),
  green: tones('#1d7a46', '#5cc98c', '#d3efdd', '#1d4430'),
  teal: tones('#0b7678', '#55c5c7', '#d0eeee', '#154345'),
  blue: tones('#1d6fb8', '#7cbcec', '#d5e7f7', '#1e3d58'),
  purple: tones('#7d4bc0', '#bf9bf0', '#e7dcf6', '#3d2a58'),
  pink: tones('#b8327e', '#f08fc4', '#f8d9ea', '#53223e'),
};
