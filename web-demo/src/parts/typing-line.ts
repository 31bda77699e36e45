/** Who is typing or drawing, in a line that is always there, so that nothing moves when it fills. */

import { element } from '../dom';
import type { Person } from '../session/presence';
import type { Watched } from '../watched';
import { activitySentence } from './activity-sentence';

export function typingLine(typists: Watched<ReadonlyMap<number, string>>, people: Watched<readonly Person[]>): HTMLElement {
  const note = element('p', { class: 'typing', 'aria-live': 'polite' });
  const draw = (): void => {
    const active = people.value.filter((person) => typists.value.has(person.clientId));
    const draws = (person: Person): boolean => typists.value.get(person.clientId) === 'board';
    const sentence = activitySentence({
      typing: active.filter((person) => !draws(person)).map((person) => person.name),
      drawing: active.filter(draws).map((person) => person.name),
    });
    if (note.textContent !== sentence) note.textContent = sentence;
  };
  typists.watch(draw);
  people.watch(draw);
  return note;
}
