/** What can be done with what is selected: by keys, by buttons, by the clipboard. */

import { boundsOfFrame, middle, type Point } from './model/geometry';
import { round } from './model/resizing';
import { frameOf, holdsText, type Look, type Shape, type ShapeId } from './model/shape';
import type { StackMove } from './model/stacking';
import type { PortableShape } from './model/stored-fields';
import { restyledFields, storeStyle, type ShapeStyle } from './style';
import { addBox } from './tools/box-tool';
import { addLine } from './tools/line-tool';
import { addText } from './tools/text-tool';
import { turnedFields } from './tools/transforming';
import type { ToolName, Workbench } from './workbench';

export function deleteSelection(bench: Workbench): void {
  const ids = bench.selection.value;
  if (!bench.editable.value || ids.size === 0) return;
  bench.board.edit((gesture) => gesture.remove(ids));
  bench.select([]);
  bench.announce(ids.size === 1 ? 'Deleted' : `${ids.size} deleted`);
}

export function duplicateSelection(bench: Workbench): void {
  addCopies(bench.board.portable(bench.selection.value), { x: 16, y: 16 }, bench);
}

/** Adds copies, moved by `by`, and selects them. */
export function addCopies(copies: readonly PortableShape[], by: Point, bench: Workbench): void {
  if (!bench.editable.value || copies.length === 0) return;
  const ids: ShapeId[] = [];
  bench.board.edit((gesture) => {
    for (const copy of copies) {
      const [x, y] = positionOf(copy);
      ids.push(gesture.create({ ...copy, fields: { ...copy.fields, position: [round(x + by.x), round(y + by.y)] } }));
    }
  });
  bench.tool.value = 'select';
  bench.select(ids);
}

export function positionOf(copy: PortableShape): readonly [number, number] {
  const { position } = copy.fields;
  const [x, y] = Array.isArray(position) ? (position as unknown[]) : [];
  return [typeof x === 'number' ? x : 0, typeof y === 'number' ? y : 0];
}

export function selectAll(bench: Workbench): void {
  bench.tool.value = 'select';
  bench.select(bench.board.stack.map((shape) => shape.id));
  bench.announce(`${bench.selection.value.size} selected`);
}

export function restack(bench: Workbench, move: StackMove): void {
  if (bench.editable.value) bench.board.restack(bench.selection.value, move);
}

/** Moves the selection by so many units. */
export function nudge(bench: Workbench, by: Point): void {
  const shapes = bench.selected;
  if (!bench.editable.value || shapes.length === 0) return;
  bench.board.edit((gesture) => {
    for (const { id, position } of shapes) gesture.set(id, { position: [round(position.x + by.x), round(position.y + by.y)] });
  });
  bench.onActivity();
}

/** Turns the selection around its middle. */
export function turn(bench: Workbench, degrees: number): void {
  const frame = bench.selectionFrame;
  if (!bench.editable.value || frame === undefined) return;
  const shapes = bench.selected;
  bench.board.edit((gesture) => {
    for (const shape of shapes) gesture.set(shape.id, turnedFields(shape, middle(frame), degrees));
  });
}

/** Gives the selection, and whatever is drawn next, a style. */
export function restyle(bench: Workbench, change: Partial<ShapeStyle>): void {
  const shapes = bench.selected;
  const onlyNotes = shapes.length > 0 ? shapes.every(({ look }) => look.type === 'note') : bench.tool.value === 'note';
  const { colour, ...rest } = change;
  const named = colour === undefined ? {} : onlyNotes ? { noteColour: colour } : { colour };
  bench.style.value = { ...bench.style.value, ...rest, ...named };
  storeStyle(bench.style.value);
  if (!bench.editable.value || shapes.length === 0) return;
  bench.board.edit((gesture) => {
    for (const { id, look } of shapes) gesture.set(id, restyledFields(look, change));
  });
  bench.onActivity();
}

/** Writes into the only selected shape; false when that is none that holds text. */
export function writeIntoSelection(bench: Workbench): boolean {
  const [shape, ...others] = bench.selected;
  if (shape === undefined || others.length > 0 || !holdsText(shape.look)) return false;
  bench.write(shape.id);
  return bench.writing.value !== undefined;
}

/** Selects the next shape of the stack, or the one before, so that keys reach all of them. */
export function selectNeighbour(bench: Workbench, step: 1 | -1): void {
  const { stack } = bench.board;
  if (stack.length === 0) return;
  const ranks = [...bench.selection.value].map((id) => bench.board.rank(id));
  const from = ranks.length === 0 ? (step === 1 ? -1 : 0) : step === 1 ? Math.max(...ranks) : Math.min(...ranks);
  const shape = stack[(from + step + stack.length) % stack.length];
  if (shape === undefined) return;
  bench.select([shape.id]);
  bench.camera.reveal(boundsOfFrame(frameOf(shape)));
  bench.announce(`${described(shape)}, ${bench.board.rank(shape.id) + 1} of ${stack.length}`);
}

/** Puts a shape of the tool in hand into the middle of the view: what a click does, without a pointer. */
export function placeByKey(tool: ToolName, bench: Workbench): boolean {
  const at = middle(bench.camera.visible);
  const gesture = bench.board.begin();
  const id = placed(tool, at, bench, gesture);
  if (id === undefined) {
    gesture.end();
    return false;
  }
  bench.tool.value = 'select';
  bench.select([id]);
  bench.onActivity();
  if (tool === 'text' || tool === 'note') bench.write(id, gesture);
  else gesture.end();
  return true;
}

function placed(tool: ToolName, at: Point, bench: Workbench, gesture: Parameters<typeof addText>[3]): ShapeId | undefined {
  switch (tool) {
    case 'rectangle':
    case 'ellipse':
    case 'note':
      return addBox(tool, at, bench, gesture);
    case 'line':
    case 'arrow':
      return addLine(tool, at, bench, gesture);
    case 'text':
      return addText('', at, bench, gesture);
    default:
      return undefined;
  }
}

/** A shape in words, for those who do not see it. */
export function described({ look }: Shape): string {
  const text = textIn(look);
  return text === '' ? `${capital(look.colour)} ${look.type}` : `${capital(look.colour)} ${look.type}: ${text}`;
}

function textIn(look: Look): string {
  if (look.type === 'image') return look.alt;
  return 'text' in look ? look.text.slice(0, 80) : '';
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
