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

export class Presence {
  /** Ourselves first, the others by name. */
  readonly people = new Watched<readonly Person[]>([]);
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

  #read(): void {
    const people = [...this.#awareness.getStates()]
      .map(([clientId, state]) => readPerson(clientId, state, clientId === this.#awareness.clientID))
      .sort((a, b) => Number(b.isSelf) - Number(a.isSelf) || a.name.localeCompare(b.name) || a.clientId - b.clientId);
    if (!samePeople(people, this.people.value)) this.people.value = people;
  }
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
