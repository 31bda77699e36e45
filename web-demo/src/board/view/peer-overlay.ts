/** The others on the board: their pointers with their names, and frames around what they selected. */

import { readableOn } from '../../colours';
import { element } from '../../dom';
import { frameOf } from '../model/shape';
import type { BoardPeer } from '../presence';
import type { Workbench } from '../workbench';
import { framePath } from './selection-overlay';
import { pathElement, svg } from './svg-elements';

export class PeerOverlay {
  /** Frames, for the overlay. */
  readonly frames = svg('g', { class: 'peer-frames' });
  /** Pointers, over everything. */
  readonly pointers = element('div', { class: 'peer-pointers', 'aria-hidden': 'true' });
  readonly #bench: Workbench;
  readonly #shown = new Map<number, { readonly frame: SVGPathElement; readonly pointer: HTMLElement; readonly name: HTMLElement }>();

  constructor(bench: Workbench) {
    this.#bench = bench;
  }

  draw(peers: readonly BoardPeer[]): void {
    const present = new Set(peers.map(({ clientId }) => clientId));
    for (const [clientId, { frame, pointer }] of this.#shown) {
      if (present.has(clientId)) continue;
      frame.remove();
      pointer.remove();
      this.#shown.delete(clientId);
    }
    for (const peer of peers) this.#drawPeer(peer);
  }

  #drawPeer(peer: BoardPeer): void {
    const { camera, board } = this.#bench;
    const { frame, pointer, name } = this.#elementsOf(peer.clientId);
    frame.style.stroke = peer.colour;
    const frames = peer.selection.slice(0, MOST_FRAMES).flatMap((id) => {
      const shape = board.shape(id);
      return shape === undefined ? [] : framePath(frameOf(shape), (point) => camera.toScreen(point));
    });
    frame.setAttribute('d', frames.join(''));
    pointer.hidden = peer.pointer === undefined;
    if (peer.pointer === undefined) return;
    const { x, y } = camera.toScreen(peer.pointer);
    const { width, height } = camera.size.value;
    // Beyond the edge a pointer would only make the page larger.
    pointer.hidden = x < -20 || y < -20 || x > width || y > height;
    pointer.style.transform = `translate(${x}px, ${y}px)`;
    pointer.style.setProperty('--person', peer.colour);
    pointer.style.setProperty('--on-person', readableOn(peer.colour));
    if (name.textContent !== peer.name) name.textContent = peer.name;
  }

  #elementsOf(clientId: number): { readonly frame: SVGPathElement; readonly pointer: HTMLElement; readonly name: HTMLElement } {
    const known = this.#shown.get(clientId);
    if (known !== undefined) return known;
    const name = element('span', { class: 'peer-name' });
    const arrow = svg('svg', { width: '18', height: '20', viewBox: '0 0 18 20' }, svg('path', { d: 'M1 1L16 11L9 12L6 19Z' }));
    const made = { frame: pathElement('peer-frame'), pointer: element('div', { class: 'peer-pointer' }, arrow, name), name };
    this.frames.append(made.frame);
    this.pointers.append(made.pointer);
    this.#shown.set(clientId, made);
    return made;
  }
}

const MOST_FRAMES = 100;
