/** Which part of the board is seen, and how large. Screen points are CSS pixels from the surface's left upper corner. */

import { clamp, middle, type Box, type Point } from '../model/geometry';
import type { Size } from '../model/shape';
import { Watched } from '../../watched';

export interface View {
  /** The board point in the left upper corner. */
  readonly x: number;
  readonly y: number;
  /** Pixels a unit. */
  readonly zoom: number;
}

export class Camera {
  readonly view = new Watched<View>({ x: 0, y: 0, zoom: 1 });
  /** Of the surface, in CSS pixels. */
  readonly size = new Watched<Size>({ width: 1, height: 1 });

  toBoard(screen: Point): Point {
    const { x, y, zoom } = this.view.value;
    return { x: x + screen.x / zoom, y: y + screen.y / zoom };
  }

  toScreen(point: Point): Point {
    const { x, y, zoom } = this.view.value;
    return { x: (point.x - x) * zoom, y: (point.y - y) * zoom };
  }

  get visible(): Box {
    const { x, y, zoom } = this.view.value;
    const { width, height } = this.size.value;
    return { x, y, width: width / zoom, height: height / zoom };
  }

  /** Moves what is seen by so many pixels. */
  pan(by: Point): void {
    const { x, y, zoom } = this.view.value;
    this.#look({ x: x - by.x / zoom, y: y - by.y / zoom, zoom });
  }

  /** Zooms so that what is under `screen` stays there. */
  zoomAt(screen: Point, factor: number): void {
    const zoom = clamp(this.view.value.zoom * factor, LEAST_ZOOM, MOST_ZOOM);
    const held = this.toBoard(screen);
    this.#look({ x: held.x - screen.x / zoom, y: held.y - screen.y / zoom, zoom });
  }

  zoomTo(zoom: number): void {
    const { width, height } = this.size.value;
    this.zoomAt({ x: width / 2, y: height / 2 }, zoom / this.view.value.zoom);
  }

  /** Shows a whole box with a margin around it, not enlarged. */
  fit(box: Box): void {
    const { width, height } = this.size.value;
    this.#show(box, Math.min(FIT_MARGIN, width / 8, height / 8), 1);
  }

  /** Shows what another camera sees: all of it and, where the windows differ, more. */
  match(seen: Box): void {
    this.#show(seen, 0, MOST_ZOOM);
  }
  /** Pans as little as shows the box, where it can be shown. */
  reveal(box: Box): void {
    const seen = this.visible;
    const shift = (start: number, length: number, from: number, room: number): number => {
      if (start < from || length > room) return start - from;
      return start + length > from + room ? start + length - from - room : 0;
    };
    const [dx, dy] = [shift(box.x, box.width, seen.x, seen.width), shift(box.y, box.height, seen.y, seen.height)];
    if (dx !== 0 || dy !== 0) this.#look({ ...this.view.value, x: seen.x + dx, y: seen.y + dy });
  }

  #show(box: Box, margin: number, mostZoom: number): void {
    const { width, height } = this.size.value;
    const fitting = Math.min((width - 2 * margin) / Math.max(box.width, 1), (height - 2 * margin) / Math.max(box.height, 1));
    const zoom = clamp(fitting, LEAST_ZOOM, mostZoom);
    const { x, y } = middle(box);
    this.#look({ x: x - width / 2 / zoom, y: y - height / 2 / zoom, zoom });
  }

  #look(view: View): void {
    const { x, y, zoom } = this.view.value;
    if (view.x !== x || view.y !== y || view.zoom !== zoom) this.view.value = view;
  }
}

export const LEAST_ZOOM = 0.05;
export const MOST_ZOOM = 8;
const FIT_MARGIN = 48;
