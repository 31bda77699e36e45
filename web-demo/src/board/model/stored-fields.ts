/** The fields of a shape as they are stored, and copies of them that another document, or the clipboard, can take. */

import * as Y from 'yjs';
import type { Dash, Fill, ShapeType } from './shape';
import type { ColourName } from './palette';

/** Plain fields of docs/whiteboard-schema.md; `text` and `points` are shared types and made by `storedShape`. */
export interface PlainFields {
  readonly type?: ShapeType;
  readonly position?: readonly [number, number];
  readonly size?: readonly [number, number];
  readonly scale?: readonly [number, number];
  readonly rotation?: number;
  readonly order?: string;
  readonly colour?: ColourName;
  readonly fill?: Fill;
  readonly stroke?: number;
  readonly dash?: Dash;
  readonly fontSize?: number;
  readonly mediaType?: string;
  readonly bytes?: Uint8Array;
  readonly alt?: string;
}

/** A whole shape without shared types: what is copied and pasted. */
export interface PortableShape {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly text?: string;
  readonly points?: readonly number[];
}

/** Makes the map that stands in the document. */
export function storedShape({ fields, text, points }: PortableShape): Y.Map<unknown> {
  const map = new Y.Map<unknown>();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) map.set(name, value);
  }
  if (text !== undefined) map.set('text', new Y.Text(text));
  if (points !== undefined) map.set('points', Y.Array.from([...points]));
  return map;
}

export function portableShape(map: Y.Map<unknown>): PortableShape {
  const fields: Record<string, unknown> = {};
  let shared: { text?: string; points?: readonly number[] } = {};
  for (const [name, value] of map.entries()) {
    if (value instanceof Y.Text) shared = name === 'text' ? { ...shared, text: value.toString() } : shared;
    else if (value instanceof Y.Array) shared = name === 'points' ? { ...shared, points: value.toArray() as number[] } : shared;
    else if (!(value instanceof Y.AbstractType)) fields[name] = value;
  }
  return { fields, ...shared };
}
