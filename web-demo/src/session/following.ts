/**
 * Follow mode: this page shows what another member sees, until either goes or the person here looks elsewhere.
 *
 * Meanwhile it tells others the sight that it was shown and not its own, which is larger where the windows differ: two who
 * follow each other would zoom out for ever.
 */

import type { Awareness } from 'y-protocols/awareness';
import type { Box } from '../board/model/geometry';
import { Watched } from '../watched';
import { readPoint } from './board-presence';
import { field, readPerson, type PresenceFields } from './presence';

/** What another member sees. */
export interface Sight {
  readonly name: string;
  readonly colour: string;
  readonly pane: 'text' | 'board' | undefined;
  readonly viewport: Box | undefined;
  /** The first visible line of the text, a relative position as JSON. */
  readonly top: unknown;
}

export class Following {
  /** The client id of whom we follow. */
  readonly followed = new Watched<number | undefined>(undefined);
  /** What they see; undefined while nobody is followed. */
  readonly sight = new Watched<Sight | undefined>(undefined);
  readonly #awareness: Awareness;

  constructor(awareness: Awareness) {
    this.#awareness = awareness;
    awareness.on('change', () => this.#look());
  }

  /** Follows somebody, or stops when it is who is followed. */
  toggle(clientId: number): void {
    this.followed.value = this.followed.value === clientId ? undefined : clientId;
    this.#look();
  }

  stop(): void {
    this.followed.value = undefined;
    this.#look();
  }

  /** What to tell the others instead of `fields`. */
  passedOn(fields: PresenceFields): PresenceFields {
    const { viewport, top } = this.sight.value ?? {};
    return {
      ...fields,
      ...(viewport !== undefined && 'viewport' in fields ? { viewport } : {}),
      ...(top !== undefined && 'top' in fields ? { top } : {}),
    };
  }

  #look(): void {
    const clientId = this.followed.value;
    const state = clientId === undefined ? undefined : this.#awareness.getStates().get(clientId);
    if (clientId !== undefined && state === undefined) this.followed.value = undefined;
    const next = clientId === undefined || state === undefined ? undefined : readSight(clientId, state);
    if (JSON.stringify(next) !== JSON.stringify(this.sight.value)) this.sight.value = next;
  }
}

function readSight(clientId: number, state: unknown): Sight {
  const { name, colour } = readPerson(clientId, state, false);
  const pane = field(state, 'pane');
  return { name, colour, pane: pane === 'text' || pane === 'board' ? pane : undefined, viewport: readBox(field(state, 'viewport')), top: readTop(field(state, 'top')) };
}

/** It is passed on, so that nobody else's length may be. */
function readTop(sent: unknown): unknown {
  return JSON.stringify(sent ?? null).length <= LONGEST_TOP ? sent : undefined;
}

function readBox(sent: unknown): Box | undefined {
  const [corner, width, height] = [readPoint(sent), field(sent, 'width'), field(sent, 'height')];
  if (corner === undefined || typeof width !== 'number' || typeof height !== 'number') return undefined;
  return width >= 1 && height >= 1 && width < FARTHEST && height < FARTHEST ? { ...corner, width, height } : undefined;
}

const LONGEST_TOP = 500;
const FARTHEST = 10_000_000;
