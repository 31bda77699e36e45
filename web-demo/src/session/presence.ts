/** Who is in the document, read from awareness states that any client may have written. */

import type { Awareness } from 'y-protocols/awareness';
import { lightened, parseColour } from '../colours';
import { parsePersonName, type Profile } from '../profile';
import { Watched } from '../watched';

export interface Person {
  readonly clientId: number;
  readonly name: string;
  /** `#rrggbb`. */
  readonly colour: string;
  readonly isSelf: boolean;
}

/** Somebody's chat, for example: a member of its own whose state says beside whom it stands. */
export type Companions = ReadonlyMap<number, number>;

/** What we show of ourselves beside the name and the colour. A field that is left out stays as it was. */
export interface PresenceFields {
  /** In the text, in the form of y-codemirror.next. */
  readonly cursor?: { readonly anchor: unknown; readonly head: unknown } | null;
  /** On the board, in its units. */
  readonly pointer?: { readonly x: number; readonly y: number } | null;
  /** Ids of the selected shapes. */
  readonly selection?: readonly string[];
  /** The visible part of the board. */
  readonly viewport?: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  /** The first visible line of the text, a relative position as JSON. */
  readonly top?: unknown;
  /** Where the person is. */
  readonly pane?: 'text' | 'board';
}

export class Presence {
  /** Ourselves first, the others by name. */
  readonly people = new Watched<readonly Person[]>([]);
  /** Members who are no further people, and the client ids of those whom they stand beside. */
  readonly companions = new Watched<Companions>(new Map());
  readonly #awareness: Awareness;

  constructor(awareness: Awareness, profile: Profile) {
    this.#awareness = awareness;
    this.introduce(profile);
    awareness.on('change', () => this.#read());
    this.#read();
  }

  /** Tells the others our name and colour, in the fields that Yjs editors have agreed on. */
  introduce(profile: Profile): void {
    this.#awareness.setLocalStateField('user', {
      name: profile.name,
      color: profile.colour,
      colorLight: lightened(profile.colour),
    });
  }

  /** Changes fields of what the others see of us; they are sent together and not more often than useful. */
  publish(fields: PresenceFields): void {
    const state = this.#awareness.getLocalState();
    if (state === null) return;
    const next = { ...state, ...fields };
    if (JSON.stringify(next) !== JSON.stringify(state)) this.#awareness.setLocalState(next);
  }

  #read(): void {
    const states = this.#awareness.getStates();
    const companions = companionsIn(states);
    if (!sameCompanions(companions, this.companions.value)) this.companions.value = companions;
    const people = [...states]
      .filter(([clientId]) => !companions.has(clientId))
      .map(([clientId, state]) => readPerson(clientId, state, clientId === this.#awareness.clientID))
      .sort((a, b) => Number(b.isSelf) - Number(a.isSelf) || a.name.localeCompare(b.name) || a.clientId - b.clientId);
    if (!samePeople(people, this.people.value)) this.people.value = people;
  }
}

/** Whoever stands beside nobody who is there counts as a person. */
export function companionsIn(states: ReadonlyMap<number, unknown>): Companions {
  const companions = new Map<number, number>();
  for (const [clientId, state] of states) {
    const beside = field(state, 'beside');
    if (typeof beside === 'number' && beside !== clientId && states.has(beside) && field(states.get(beside), 'beside') === undefined) {
      companions.set(clientId, beside);
    }
  }
  return companions;
}

/** A member as shown; fields that are missing or unfit get defaults. */
export function readPerson(clientId: number, state: unknown, isSelf: boolean): Person {
  const user = field(state, 'user');
  return {
    clientId,
    name: parsePersonName(field(user, 'name')) ?? 'Someone',
    colour: parseColour(field(user, 'color'), clientId),
    isSelf,
  };
}

/** A property of something that a peer sent; undefined when it has none. */
export function field(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null ? (of as Record<string, unknown>)[name] : undefined;
}

/** Cursor moves change awareness far more often than people do. */
function samePeople(a: readonly Person[], b: readonly Person[]): boolean {
  return (
    a.length === b.length &&
    a.every((person, at) => {
      const other = b[at];
      return person.clientId === other?.clientId && person.name === other.name && person.colour === other.colour;
    })
  );
}

function sameCompanions(a: Companions, b: Companions): boolean {
  return a.size === b.size && [...a].every(([companion, beside]) => b.get(companion) === beside);
}
