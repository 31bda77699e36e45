/**
 * From pointer events to the tool in hand.
 *
 * Two fingers always pan and zoom. Once a stylus was seen, one finger pans too, so that the palm draws nothing. The middle
 * button and the space bar pan with any tool.
 */

import type { Point } from '../model/geometry';
import { moveLineEnd, resizeSelection, turnSelection } from '../tools/transforming';
import { pan } from '../tools/hand-tool';
import { NO_DRAG, type Drag, type Input } from '../tools/tool';
import { TOOLS } from '../tools/tools';
import type { Workbench } from '../workbench';
import { gripAt, type Grip } from './selection-overlay';

export interface PointingOptions {
  readonly surface: HTMLElement;
  readonly bench: Workbench;
  /** Where our pointer is on the board; undefined when it left. */
  readonly onPointer: (point: Point | undefined) => void;
  /** The view was moved by hand. */
  readonly onLook: () => void;
}

export class Pointing {
  readonly #options: PointingOptions;
  readonly #down = new Map<number, Point>();
  #drag: { readonly pointer: number; readonly drag: Drag } | undefined;
  #stylusSeen = false;
  #spaceHeld = false;

  constructor(options: PointingOptions) {
    this.#options = options;
    const { surface } = options;
    surface.addEventListener('pointerdown', (event) => this.#press(event));
    surface.addEventListener('pointermove', (event) => this.#move(event));
    surface.addEventListener('pointerup', (event) => this.#release(event));
    surface.addEventListener('pointercancel', (event) => this.#cancel(event));
    surface.addEventListener('pointerleave', () => options.onPointer(undefined));
    surface.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
    surface.addEventListener('auxclick', (event) => event.preventDefault());
    surface.addEventListener('contextmenu', (event) => event.preventDefault());
  }

  /** Whether the space bar is held: the hand is in hand meanwhile. */
  set spaceHeld(held: boolean) {
    this.#spaceHeld = held;
    this.#options.surface.classList.toggle('panning', held);
  }

  /** Ends what the pointer is doing and takes it back; false when it does nothing. */
  cancel(): boolean {
    if (this.#drag === undefined) return false;
    this.#drag.drag.cancel();
    this.#drag = undefined;
    return true;
  }

  #press(event: PointerEvent): void {
    if (isInsideField(event)) return;
    const { surface, bench } = this.#options;
    if (event.pointerType === 'pen') this.#stylusSeen = true;
    this.#down.set(event.pointerId, this.#screen(event));
    if (this.#down.size > 1) {
      this.cancel();
      return;
    }
    if (event.button > 1) return;
    // Before anything else: closing the text that is written must not fall into the new gesture.
    bench.writing.value = undefined;
    surface.focus({ preventScroll: true });
    // The surface keeps the pointer when it leaves; a pointer that a test made up cannot be kept.
    if (event.isTrusted) surface.setPointerCapture(event.pointerId);
    event.preventDefault();
    this.#drag = { pointer: event.pointerId, drag: this.#begin(event) };
  }

  #begin(event: PointerEvent): Drag {
    const { bench } = this.#options;
    const input = this.#input(event);
    const fingerPans = event.pointerType === 'touch' && this.#stylusSeen;
    if (event.button === 1 || this.#spaceHeld || fingerPans || bench.tool.value === 'hand') {
      return this.#looking(pan(input, bench));
    }
    const tool = TOOLS[bench.tool.value];
    if (tool.edits && !bench.editable.value) return this.#looking(pan(input, bench));
    if (tool.edits) bench.onActivity();
    const grip = bench.tool.value === 'select' && bench.editable.value ? gripAt(event.target) : undefined;
    return this.#active(grip === undefined ? tool.press(input, bench) : this.#beginAtGrip(grip, input), input);
  }

  #beginAtGrip(grip: Grip, input: Input): Drag {
    const { bench } = this.#options;
    switch (grip.kind) {
      case 'resize':
        return resizeSelection(grip.handle, input, bench);
      case 'turn':
        return turnSelection(input, bench);
      case 'line-end': {
        const [shape] = bench.selected;
        if (shape === undefined || (shape.look.type !== 'line' && shape.look.type !== 'arrow')) return NO_DRAG;
        return moveLineEnd(grip.which, { ...shape, look: shape.look }, bench);
      }
    }
  }

  /** Tells that the person is at work while it drags. */
  #active(drag: Drag, first: Input): Drag {
    const { bench } = this.#options;
    return {
      ...drag,
      move: (inputs) => {
        const newest = inputs.at(-1) ?? first;
        if (newest.screen.x !== first.screen.x || newest.screen.y !== first.screen.y) {
          if (bench.editable.value && bench.selection.value.size + Number(TOOLS[bench.tool.value].edits) > 0) bench.onActivity();
        }
        drag.move(inputs);
      },
    };
  }

  #looking(drag: Drag): Drag {
    this.#options.surface.classList.add('panning');
    const end = (): void => {
      if (!this.#spaceHeld) this.#options.surface.classList.remove('panning');
    };
    return {
      move: (inputs) => {
        this.#options.onLook();
        drag.move(inputs);
      },
      release: end,
      cancel: end,
    };
  }

  #move(event: PointerEvent): void {
    const screen = this.#screen(event);
    const before = this.#down.get(event.pointerId);
    if (before !== undefined && this.#down.size === 2) this.#pinch(event.pointerId, before, screen);
    if (before !== undefined) this.#down.set(event.pointerId, screen);
    if (event.pointerType !== 'touch') this.#options.onPointer(this.#options.bench.camera.toBoard(screen));
    if (this.#drag?.pointer !== event.pointerId) return;
    // Only secure pages have the places between two frames.
    const coalesced = 'getCoalescedEvents' in event ? event.getCoalescedEvents() : [];
    const events = coalesced.length > 0 ? coalesced : [event];
    this.#drag.drag.move(events.map((each) => this.#input(each)));
  }

  #release(event: PointerEvent): void {
    this.#down.delete(event.pointerId);
    if (this.#drag?.pointer !== event.pointerId) return;
    const { drag } = this.#drag;
    this.#drag = undefined;
    drag.release();
  }

  #cancel(event: PointerEvent): void {
    this.#down.delete(event.pointerId);
    if (this.#drag?.pointer === event.pointerId) this.cancel();
  }

  #pinch(pointer: number, before: Point, after: Point): void {
    const other = [...this.#down].find(([id]) => id !== pointer)?.[1];
    if (other === undefined) return;
    const { camera } = this.#options.bench;
    this.#options.onLook();
    const span = (point: Point): number => Math.max(1, Math.hypot(point.x - other.x, point.y - other.y));
    camera.pan({ x: (after.x - before.x) / 2, y: (after.y - before.y) / 2 });
    camera.zoomAt({ x: (after.x + other.x) / 2, y: (after.y + other.y) / 2 }, span(after) / span(before));
  }

  #wheel(event: WheelEvent): void {
    if (event.target instanceof HTMLTextAreaElement && !event.ctrlKey) return;
    event.preventDefault();
    const { bench } = this.#options;
    this.#options.onLook();
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PIXELS : 1;
    if (event.ctrlKey || event.metaKey) {
      const factor = Math.exp(-Math.max(-MOST_WHEEL, Math.min(MOST_WHEEL, event.deltaY * pixels)) / WHEEL_ZOOM);
      bench.camera.zoomAt(this.#screen(event), factor);
      return;
    }
    const sideways = event.shiftKey && event.deltaX === 0;
    const by = { x: sideways ? event.deltaY : event.deltaX, y: sideways ? 0 : event.deltaY };
    bench.camera.pan({ x: -by.x * pixels, y: -by.y * pixels });
  }

  #screen(event: MouseEvent): Point {
    const { left, top } = this.#options.surface.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  #input(event: PointerEvent): Input {
    const screen = this.#screen(event);
    return {
      screen,
      point: this.#options.bench.camera.toBoard(screen),
      pressure: event.pointerType === 'pen' && event.pressure > 0 ? event.pressure : 0.5,
      shift: event.shiftKey,
      alt: event.altKey,
      ctrl: event.ctrlKey || event.metaKey,
      touch: event.pointerType === 'touch',
    };
  }
}

function isInsideField(event: Event): boolean {
  return event.target instanceof HTMLTextAreaElement;
}

const LINE_PIXELS = 16;
const WHEEL_ZOOM = 300;
const MOST_WHEEL = 150;
