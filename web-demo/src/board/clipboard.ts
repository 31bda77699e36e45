/** Copy, cut and paste on the board: shapes, images and text. */

import { fromBase64, toBase64 } from 'lib0/buffer';
import { addCopies, deleteSelection, positionOf } from './actions';
import { addImages } from './images';
import { middle, type Point } from './model/geometry';
import { LARGEST_FOREIGN_IMAGE, LONGEST_TEXT, MOST_POINT_NUMBERS } from './model/limits';
import type { PortableShape } from './model/stored-fields';
import { addText } from './tools/text-tool';
import type { Workbench } from './workbench';

export interface ClipboardParts {
  readonly surface: HTMLElement;
  readonly bench: Workbench;
  /** Where our pointer is; things are pasted there. */
  readonly pointer: () => Point | undefined;
  readonly onProblems: (problems: readonly string[]) => void;
}

export function listenToClipboard({ surface, bench, pointer, onProblems }: ClipboardParts): void {
  const mine = (event: Event): boolean => event.target === surface || (event.target === document.body && document.activeElement === surface);
  const copy = (event: ClipboardEvent): boolean => {
    const copies = bench.board.portable(bench.selection.value);
    if (!mine(event) || copies.length === 0 || event.clipboardData === null) return false;
    event.clipboardData.setData(SHAPES, writeCopies(copies));
    event.clipboardData.setData('text/plain', copies.map(({ text }) => text ?? '').filter((text) => text !== '').join('\n'));
    event.preventDefault();
    return true;
  };
  document.addEventListener('copy', copy);
  document.addEventListener('cut', (event) => {
    if (bench.editable.value && copy(event)) deleteSelection(bench);
  });
  document.addEventListener('paste', (event) => {
    if (!mine(event) || event.clipboardData === null || !bench.editable.value) return;
    event.preventDefault();
    void paste(event.clipboardData, pointer() ?? middle(bench.camera.visible), bench).then(onProblems);
  });
}

/** Adds what a clipboard or a drop holds around a point; gives what could not be added, in words. */
export async function paste(data: DataTransfer, at: Point, bench: Workbench): Promise<readonly string[]> {
  const copies = readCopies(data.getData(SHAPES));
  if (copies.length > 0) {
    addCopies(copies, pasteOffset(copies, at), bench);
    return [];
  }
  const files = [...data.files];
  if (files.length > 0) return addImages(files, at, bench);
  const text = data.getData('text/plain').replace(/\r\n?/g, '\n').trim().slice(0, LONGEST_TEXT);
  if (text === '') return [];
  let id = '';
  bench.board.edit((gesture) => {
    id = addText(text, at, bench, gesture);
  });
  bench.tool.value = 'select';
  bench.select([id]);
  return [];
}

function pasteOffset(copies: readonly PortableShape[], at: Point): Point {
  const positions = copies.map(positionOf);
  const [left, top] = [Math.min(...positions.map(([x]) => x)), Math.min(...positions.map(([, y]) => y))];
  return { x: at.x - left, y: at.y - top };
}

function writeCopies(copies: readonly PortableShape[]): string {
  return JSON.stringify(copies, (_name, value: unknown) => (value instanceof Uint8Array ? { [BYTES]: toBase64(value) } : value));
}

/** Whatever is on a clipboard: only what has the form of copies is taken, and the board bounds it again when it reads. */
function readCopies(written: string): readonly PortableShape[] {
  try {
    const read: unknown = JSON.parse(written, (_name, value: unknown) => {
      const packed = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[BYTES] : undefined;
      return typeof packed === 'string' && packed.length < LARGEST_FOREIGN_IMAGE * 1.4 ? fromBase64(packed) : value;
    });
    return Array.isArray(read) ? read.slice(0, MOST_COPIES).flatMap(readCopy) : [];
  } catch {
    return [];
  }
}

function readCopy(entry: unknown): PortableShape[] {
  if (typeof entry !== 'object' || entry === null) return [];
  const { fields, text, points } = entry as { fields?: unknown; text?: unknown; points?: unknown };
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) return [];
  const numbers = Array.isArray(points) && points.length <= MOST_POINT_NUMBERS && points.every((value) => typeof value === 'number');
  return [
    {
      fields: fields as Readonly<Record<string, unknown>>,
      ...(typeof text === 'string' && { text: text.slice(0, LONGEST_TEXT) }),
      ...(numbers && { points: points as number[] }),
    },
  ];
}

const SHAPES = 'application/x-ydock-shapes+json';
const BYTES = '$bytes';
const MOST_COPIES = 5000;
