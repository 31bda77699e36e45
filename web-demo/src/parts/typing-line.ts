/** Who is typing or drawing, in a line that is always there, so that nothing moves when it fills. */

import { element } from '../dom';
import type { Companions, Person } from '../session/presence';
import type { Watched } from '../watched';
import { activitySentence } from './activity-sentence';

export interface TypingParts {
  /** Where who is active, by client id. */
  readonly typists: Watched<ReadonlyMap<number, string>>;
  readonly people: Watched<readonly Person[]>;
  readonly companions: Watched<Companions>;
}

export function typingLine({ typists, people, companions }: TypingParts): HTMLElement {
  const note = element('p', { class: 'typing', 'aria-live': 'polite' });
  const draw = (): void => {
    const places = new Map([...typists.value].map(([clientId, place]) => [companions.value.get(clientId) ?? clientId, place]));
    const active = people.value.filter((person) => !person.isSelf && places.has(person.clientId));
    const draws = (person: Person): boolean => places.get(person.clientId) === 'board';
    const sentence = activitySentence({
      typing: active.filter((person) => !draws(person)).map((person) => person.name),
      drawing: active.filter(draws).map((person) => person.name),
    });
    if (note.textContent !== sentence) note.textContent = sentence;
  };
  typists.watch(draw);
  people.watch(draw);
  companions.watch(draw);
  return note;
}
