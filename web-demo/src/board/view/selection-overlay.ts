/** Outlines and handles of what is selected, guides, and the box drawn around shapes. Lies over the canvas, in pixels. */

import { middle, rotate, type Frame, type Point } from '../model/geometry';
import type { Handle } from '../model/resizing';
import { frameOf } from '../model/shape';
import type { Workbench } from '../workbench';
import { pathElement, points, svg } from './svg-elements';

/** What a handle does. */
export type Grip =
  | { readonly kind: 'resize'; readonly handle: Handle }
  | { readonly kind: 'turn' }
  | { readonly kind: 'line-end'; readonly which: 'start' | 'end' };

/** The grip that an element of the overlay stands for. */
export function gripAt(target: EventTarget | null): Grip | undefined {
  const element = target instanceof Element ? target.closest<SVGElement>('[data-grip]') : null;
  return element === null ? undefined : grips.get(element);
}

export class SelectionOverlay {
  readonly element = svg('g', { class: 'selection-overlay' });
  readonly #bench: Workbench;
  readonly #outlines = pathElement('selection-outline');
  readonly #frame = pathElement('selection-frame');
  readonly #guides = pathElement('guides');
  readonly #marquee = svg('rect', { class: 'marquee' });
  readonly #handles: readonly (readonly [SVGElement, Grip])[];

  constructor(bench: Workbench) {
    this.#bench = bench;
    this.#handles = [...HANDLES.map((handle): Grip => ({ kind: 'resize', handle })), { kind: 'turn' } as const, ...LINE_ENDS].map((grip) => [
      handleElement(grip),
      grip,
    ]);
    this.element.append(this.#marquee, this.#outlines, this.#frame, this.#guides, ...this.#handles.map(([element]) => element));
  }

  draw(): void {
    const { guides, marquee, camera } = this.#bench;
    const screen = (point: Point): Point => camera.toScreen(point);
    this.#guides.setAttribute('d', guides.value.map(({ from, to }) => `M${points([screen(from), screen(to)])}`).join(''));
    this.#drawMarquee(marquee.value === undefined ? undefined : { from: screen(marquee.value), ...marquee.value });
    this.#drawSelection();
  }

  #drawMarquee(box: { readonly from: Point; readonly width: number; readonly height: number } | undefined): void {
    this.#marquee.toggleAttribute('hidden', box === undefined);
    this.#marquee.style.display = box === undefined ? 'none' : '';
    if (box === undefined) return;
    const { zoom } = this.#bench.camera.view.value;
    const place = { x: box.from.x, y: box.from.y, width: box.width * zoom, height: box.height * zoom };
    for (const [name, value] of Object.entries(place)) this.#marquee.setAttribute(name, String(value));
  }

  #drawSelection(): void {
    const { selected } = this.#bench;
    const outlined = selected.length > 1 ? selected.slice(0, MOST_OUTLINES) : [];
    this.#outlines.setAttribute('d', outlined.map((shape) => this.#framePath(frameOf(shape))).join(''));
    const frame = this.#bench.selectionFrame;
    const [only] = selected;
    const isLine = selected.length === 1 && (only?.look.type === 'line' || only?.look.type === 'arrow');
    this.#frame.setAttribute('d', frame === undefined || isLine ? '' : this.#framePath(frame));
    const usable = this.#bench.editable.value && !this.#bench.dragging.value && this.#bench.writing.value === undefined;
    for (const [element, grip] of this.#handles) {
      const place = usable && frame !== undefined ? this.#placeOf(grip, frame, isLine) : undefined;
      element.style.display = place === undefined ? 'none' : '';
      if (place === undefined) continue;
      element.setAttribute('transform', `translate(${place.x} ${place.y}) rotate(${isLine ? 0 : frame?.rotation ?? 0})`);
      if (grip.kind === 'resize') element.style.cursor = cursorOf(grip.handle, frame?.rotation ?? 0);
    }
  }

  /** Undefined when the grip is not offered. */
  #placeOf(grip: Grip, frame: Frame, isLine: boolean): Point | undefined {
    const { camera } = this.#bench;
    const { zoom } = camera.view.value;
    if (grip.kind === 'line-end') {
      const [shape] = this.#bench.selected;
      if (!isLine || shape === undefined || !('vector' in shape.look)) return undefined;
      const { x, y } = shape.position;
      return camera.toScreen(grip.which === 'start' ? shape.position : { x: x + shape.look.vector.x, y: y + shape.look.vector.y });
    }
    if (isLine) return undefined;
    const [width, height] = [frame.width * zoom, frame.height * zoom];
    const centre = middle(frame);
    if (grip.kind === 'turn') {
      return camera.toScreen(rotate({ x: centre.x, y: frame.y - TURN_PIXELS / zoom }, centre, frame.rotation));
    }
    const { handle } = grip;
    // Handles in the middle of short sides would lie on each other.
    if (handle.x === 0 && width < LEAST_FOR_MIDDLE) return undefined;
    if (handle.y === 0 && height < LEAST_FOR_MIDDLE) return undefined;
    return camera.toScreen(
      rotate({ x: centre.x + (handle.x * frame.width) / 2, y: centre.y + (handle.y * frame.height) / 2 }, centre, frame.rotation),
    );
  }

  #framePath(frame: Frame): string {
    return framePath(frame, (point) => this.#bench.camera.toScreen(point));
  }
}

/** A closed path around a frame, two pixels outside of it. */
export function framePath(frame: Frame, toScreen: (point: Point) => Point): string {
  const centre = middle(frame);
  const corner = (x: number, y: number): Point => {
    const place = toScreen(rotate({ x: centre.x + (x * frame.width) / 2, y: centre.y + (y * frame.height) / 2 }, centre, frame.rotation));
    const out = rotate({ x: x * OUTSIDE, y: y * OUTSIDE }, { x: 0, y: 0 }, frame.rotation);
    return { x: place.x + out.x, y: place.y + out.y };
  };
  return `M${points([corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)])}Z`;
}

/** A handle is larger for the pointer than for the eye. */
function handleElement(grip: Grip): SVGElement {
  const round = grip.kind !== 'resize';
  const seen = round
    ? svg('circle', { class: 'handle', r: '6' })
    : svg('rect', { class: 'handle', x: '-5', y: '-5', width: '10', height: '10', rx: '2' });
  const felt = svg('circle', { class: 'handle-reach', r: '10' });
  const element = svg('g', { 'data-grip': grip.kind }, felt, seen);
  if (grip.kind !== 'resize') element.style.cursor = 'grab';
  grips.set(element, grip);
  return element;
}

/** The resize cursor that fits a handle's direction on a turned frame. */
function cursorOf(handle: Handle, rotation: number): string {
  const degrees = (Math.atan2(handle.y, handle.x) * 180) / Math.PI + rotation;
  const names = ['ew-resize', 'nwse-resize', 'ns-resize', 'nesw-resize'];
  return names[((Math.round(degrees / 45) % 4) + 4) % 4] ?? 'move';
}

const HANDLES: readonly Handle[] = [
  // Corners last: they lie over the middles.
  { x: 0, y: -1 },
  { x: 1, y: 0 },
  { x: 0, y: 1 },
  { x: -1, y: 0 },
  { x: -1, y: -1 },
  { x: 1, y: -1 },
  { x: 1, y: 1 },
  { x: -1, y: 1 },
];
const LINE_ENDS: readonly Grip[] = [
  { kind: 'line-end', which: 'start' },
  { kind: 'line-end', which: 'end' },
];
const MOST_OUTLINES = 300;
const LEAST_FOR_MIDDLE = 64;
const TURN_PIXELS = 28;
const OUTSIDE = 2;
const grips = new WeakMap<Element, Grip>();
