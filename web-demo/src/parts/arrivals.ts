/**
 * Says who joined and who left, for a few seconds, over the page's lower edge: nothing moves for it.
 *
 * Not at our own arrival, and not while a lost connection makes everybody go and come: it compares who was there when
 * all was calm. Several who come together are one sentence, and somebody who reloads has not left.
 */

import { element } from '../dom';
import type { ConnectionState } from '../session/connection-state';
import type { Person } from '../session/presence';
import type { Watched } from '../watched';
import { arrivalSentence, type Arrivals } from './activity-sentence';

export function arrivals(connection: Watched<ConnectionState>, people: Watched<readonly Person[]>): HTMLElement {
  const note = element('p', { class: 'arrivals', role: 'status' });
  /** Who was there when we looked last; undefined while it is not calm. */
  let known: readonly Person[] | undefined;
  let lookTimer: ReturnType<typeof setTimeout> | undefined;
  let clearTimer: ReturnType<typeof setTimeout> | undefined;
  const look = (): void => {
    lookTimer = undefined;
    const sentence = known === undefined ? '' : arrivalSentence(comings(known, people.value));
    known = people.value;
    if (sentence === '') return;
    note.textContent = sentence;
    clearTimeout(clearTimer);
    clearTimer = setTimeout(() => note.replaceChildren(), SHOWN_FOR_MS);
  };
  connection.watch(({ kind }) => {
    clearTimeout(lookTimer);
    lookTimer = kind === 'connected' ? setTimeout(look, CALM_AFTER_MS) : undefined;
    known = undefined;
  });
  people.watch(() => {
    if (known !== undefined) lookTimer ??= setTimeout(look, GATHER_FOR_MS);
  });
  return note;
}

/** Who is in one list only. By name, since the same person has a new client id after a reload. */
export function comings(before: readonly Person[], after: readonly Person[]): Arrivals {
  const ids = (people: readonly Person[]): ReadonlySet<number> => new Set(people.map((person) => person.clientId));
  const [idsBefore, idsAfter] = [ids(before), ids(after)];
  const joined = after.filter((person) => !person.isSelf && !idsBefore.has(person.clientId)).map((person) => person.name);
  const left = before.filter((person) => !person.isSelf && !idsAfter.has(person.clientId)).map((person) => person.name);
  return { joined: without(joined, left), left: without(left, joined) };
}

/** `names`, less one of the same for each of `others`. */
function without(names: readonly string[], others: readonly string[]): readonly string[] {
  const rest = [...others];
  return names.filter((name) => {
    const at = rest.indexOf(name);
    if (at === -1) return true;
    rest.splice(at, 1);
    return false;
  });
}

const CALM_AFTER_MS = 3000;
const GATHER_FOR_MS = 1500;
const SHOWN_FOR_MS = 5000;
