/**
 * The board of a document: shapes read from its Yjs map, and every change that this page makes to them.
 *
 * Changes happen in gestures (a drag, a stroke, a click). What a gesture sets shows here at once and goes into the
 * document every WRITE_EVERY_MS, so that a drag sends some twenty updates a second and not one for each movement of the
 * pointer. One gesture is one step of undo, which only ever takes back what this page did.
 */

import * as Y from 'yjs';
import { LONGEST_ID, MOST_SHAPES } from './limits';
import { readShape, type Fields, type TextMeasure } from './reading';
import type { Shape, ShapeId } from './shape';
import { compareInStack, orderOnTop, restacked, type StackMove } from './stacking';
import { portableShape, storedShape, type PlainFields, type PortableShape } from './stored-fields';

/** Ids whose shape came, went or changed. */
export type BoardListener = (changed: ReadonlySet<ShapeId>) => void;

export interface Gesture {
  /** Adds a shape on top of the stack, at once. */
  readonly create: (shape: PortableShape) => ShapeId;
  readonly set: (id: ShapeId, fields: PlainFields) => void;
  /** Goes on with a pen stroke. */
  readonly append: (id: ShapeId, numbers: readonly number[]) => void;
  readonly remove: (ids: Iterable<ShapeId>) => void;
  readonly end: () => void;
  /** Takes back all that the gesture did. */
  readonly cancel: () => void;
}

export class BoardDocument {
  readonly undoManager: Y.UndoManager;
  readonly #root: Y.Map<unknown>;
  readonly #measure: TextMeasure;
  readonly #shapes = new Map<ShapeId, Shape>();
  readonly #drafts = new Map<ShapeId, Map<string, unknown>>();
  readonly #listeners = new Set<BoardListener>();
  #stack: readonly Shape[] | undefined;
  #ranks: ReadonlyMap<ShapeId, number> | undefined;
  #gesture: { wrote: boolean } | undefined;
  #writeTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(root: Y.Map<unknown>, measure: TextMeasure) {
    this.#root = root;
    this.#measure = measure;
    // Gestures say where a step of undo begins and ends, never the clock.
    this.undoManager = new Y.UndoManager(root, { trackedOrigins: new Set([this]), captureTimeout: Number.POSITIVE_INFINITY });
    for (const id of root.keys()) this.#read(id, false);
    root.observeDeep((events) => this.#follow(events));
  }

  shape(id: ShapeId): Shape | undefined {
    return this.#shapes.get(id);
  }

  get size(): number {
    return this.#shapes.size;
  }

  /** From the lowest to the highest. */
  get stack(): readonly Shape[] {
    this.#stack ??= [...this.#shapes.values()].sort(compareInStack);
    return this.#stack;
  }

  /** The place of a shape in the stack. */
  rank(id: ShapeId): number {
    this.#ranks ??= new Map(this.stack.map((shape, index) => [shape.id, index]));
    return this.#ranks.get(id) ?? -1;
  }

  /** The text of a shape, to be edited in place; undefined when it has none. */
  textOf(id: ShapeId): Y.Text | undefined {
    const text = this.#map(id)?.get('text');
    return text instanceof Y.Text ? text : undefined;
  }

  /** Copies that can be pasted, from the lowest to the highest. */
  portable(ids: ReadonlySet<ShapeId>): readonly PortableShape[] {
    return this.stack.flatMap(({ id }) => {
      const map = ids.has(id) ? this.#map(id) : undefined;
      return map === undefined ? [] : [portableShape(map)];
    });
  }

  /** Calls `listener` after each change, of ours and of others. */
  onChange(listener: BoardListener): void {
    this.#listeners.add(listener);
  }

  /** Begins a gesture; one that was forgotten ends. */
  begin(): Gesture {
    this.#endGesture();
    this.undoManager.stopCapturing();
    const own = { wrote: false };
    this.#gesture = own;
    const during = (work: () => void): void => {
      if (this.#gesture === own) work();
    };
    return {
      create: (shape) => this.#create(shape),
      set: (id, fields) => during(() => this.#draft(id, Object.entries(fields))),
      append: (id, numbers) => during(() => this.#append(id, numbers)),
      remove: (ids) => during(() => this.#remove(ids)),
      end: () => during(() => this.#endGesture()),
      cancel: () => during(() => this.#cancelGesture(own)),
    };
  }

  /** A gesture of one moment. */
  edit(work: (gesture: Gesture) => void): void {
    const gesture = this.begin();
    work(gesture);
    gesture.end();
  }

  restack(ids: ReadonlySet<ShapeId>, move: StackMove): void {
    const orders = restacked(this.stack, ids, move);
    if (orders.size === 0) return;
    this.edit((gesture) => {
      for (const [id, order] of orders) gesture.set(id, { order });
    });
  }

  /** Runs a change of a shape's text as part of the gesture that is going on, or as one of its own. */
  editText(work: () => void): void {
    this.#root.doc?.transact(work, this);
  }

  undo(): void {
    this.#endGesture();
    this.undoManager.undo();
  }

  redo(): void {
    this.#endGesture();
    this.undoManager.redo();
  }

  #create(shape: PortableShape): ShapeId {
    const id = randomId();
    const fields = { ...shape.fields, order: orderOnTop(this.stack) };
    this.#write(() => this.#root.set(id, storedShape({ ...shape, fields })));
    return id;
  }

  #remove(ids: Iterable<ShapeId>): void {
    this.#write(() => {
      for (const id of ids) {
        this.#drafts.delete(id);
        this.#root.delete(id);
      }
    });
  }

  #draft(id: ShapeId, fields: Iterable<readonly [string, unknown]>): void {
    if (this.#map(id) === undefined) return;
    const draft = this.#drafts.get(id) ?? new Map<string, unknown>();
    for (const [name, value] of fields) {
      if (value !== undefined) draft.set(name, value);
    }
    this.#drafts.set(id, draft);
    this.#writeTimer ??= setTimeout(() => this.#writeDrafts(), WRITE_EVERY_MS);
    this.#notify(new Set(this.#read(id, !draft.has('points')) ? [id] : []));
  }

  #append(id: ShapeId, numbers: readonly number[]): void {
    const look = this.#shapes.get(id)?.look;
    if (look?.type === 'pen') this.#draft(id, [['points', [...look.points, ...numbers]]]);
  }

  #writeDrafts(): void {
    clearTimeout(this.#writeTimer);
    this.#writeTimer = undefined;
    if (this.#drafts.size === 0) return;
    const drafts = [...this.#drafts];
    this.#drafts.clear();
    this.#write(() => {
      for (const [id, fields] of drafts) {
        const map = this.#map(id);
        if (map !== undefined) for (const [name, value] of fields) writeField(map, name, value);
      }
    });
  }

  #write(work: () => void): void {
    if (this.#gesture !== undefined) this.#gesture.wrote = true;
    this.#root.doc?.transact(work, this);
  }

  #endGesture(): void {
    if (this.#gesture === undefined) return;
    this.#writeDrafts();
    this.#gesture = undefined;
    this.undoManager.stopCapturing();
  }

  #cancelGesture(gesture: { readonly wrote: boolean }): void {
    const drafted = [...this.#drafts.keys()];
    this.#drafts.clear();
    clearTimeout(this.#writeTimer);
    this.#writeTimer = undefined;
    this.#gesture = undefined;
    if (gesture.wrote && this.undoManager.undo() !== null) this.undoManager.redoStack.pop();
    this.undoManager.stopCapturing();
    this.#notify(new Set(drafted.filter((id) => this.#read(id, false))));
  }

  #follow(events: readonly Y.YEvent<Y.AbstractType<unknown>>[]): void {
    /** Whether the points of a changed shape may be others. */
    const touched = new Map<ShapeId, boolean>();
    for (const event of events) {
      if (event.target === (this.#root as unknown)) {
        for (const id of event.keys.keys()) touched.set(id, true);
        continue;
      }
      const [id, field] = event.path;
      if (typeof id !== 'string') continue;
      const points = field === 'points' || event.keys.has('points') || touched.get(id) === true;
      touched.set(id, points);
    }
    const changed = [...touched].filter(([id, points]) => this.#read(id, !points)).map(([id]) => id);
    this.#notify(new Set(changed));
  }

  /** Reads a shape anew and says whether it is another now. */
  #read(id: ShapeId, samePoints: boolean): boolean {
    const before = this.#shapes.get(id);
    const after = this.#readable(id, before) ? readShape(id, this.#fields(id), { measure: this.#measure, before, samePoints }) : undefined;
    if (after === undefined ? before === undefined : before !== undefined && sameShape(before, after)) return false;
    if (before?.order !== after?.order) this.#stack = undefined;
    if (after === undefined) this.#shapes.delete(id);
    else this.#shapes.set(id, after);
    if (this.#stack !== undefined && after !== undefined) this.#replaceInStack(after);
    else this.#ranks = undefined;
    return true;
  }

  /** A shape that kept its order keeps its place: no need to sort anew for every movement. */
  #replaceInStack(shape: Shape): void {
    (this.#stack as Shape[])[this.rank(shape.id)] = shape;
  }

  #readable(id: ShapeId, before: Shape | undefined): boolean {
    if (this.#map(id) === undefined || id.length > LONGEST_ID || id === '') return false;
    return before !== undefined || this.#shapes.size < MOST_SHAPES;
  }

  #fields(id: ShapeId): Fields {
    const map = this.#map(id);
    const draft = this.#drafts.get(id);
    return { get: (name) => (draft?.has(name) === true ? draft.get(name) : map?.get(name)) };
  }

  #map(id: ShapeId): Y.Map<unknown> | undefined {
    const map = this.#root.get(id);
    return map instanceof Y.Map ? (map as Y.Map<unknown>) : undefined;
  }

  #notify(changed: ReadonlySet<ShapeId>): void {
    if (changed.size === 0) return;
    for (const listener of this.#listeners) listener(changed);
  }
}

/** Drafted points are the whole stroke; the document gets what it lacks. */
function writeField(map: Y.Map<unknown>, name: string, value: unknown): void {
  const stored = map.get(name);
  if (name === 'points' && stored instanceof Y.Array) stored.push((value as number[]).slice(stored.length));
  else map.set(name, value);
}

function sameShape(a: Shape, b: Shape): boolean {
  return (
    a.look === b.look &&
    a.order === b.order &&
    a.rotation === b.rotation &&
    a.position.x === b.position.x &&
    a.position.y === b.position.y
  );
}

/** 16 letters and digits: 95 bits, so that two never meet. */
function randomId(): ShapeId {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => ID_LETTERS[byte % ID_LETTERS.length]).join('');
}

const ID_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const WRITE_EVERY_MS = 40;
