/** Who is typing, in a line that is always there, so that nothing moves when it fills. */

import { element } from '../dom';
import type { Person } from '../session/presence';
import type { Watched } from '../watched';

export function typingLine(typists: Watched<ReadonlySet<number>>, people: Watched<readonly Person[]>): HTMLElement {
  const note = element('p', { class: 'typing', 'aria-live': 'polite' });
  const draw = (): void => {
    const names = people.value.filter((person) => typists.value.has(person.clientId)).map((person) => shortened(person.name));
    const sentence = typingSentence(names);
    if (note.textContent !== sentence) note.textContent = sentence;
  };
  typists.watch(draw);
  people.watch(draw);
  return note;
}

/** Long names would push "is typing" out of a narrow line. */
function shortened(name: string): string {
  const letters = [...name];
  return letters.length <= MAX_NAME_SHOWN ? name : `${letters.slice(0, MAX_NAME_SHOWN - 1).join('').trim()}…`;
}

function typingSentence(names: readonly string[]): string {
  const [first, second, ...rest] = names;
  if (first === undefined) return '';
  if (second === undefined) return `${first} is typing…`;
  if (rest.length === 0) return `${first} and ${second} are typing…`;
  return `${first}, ${second} and ${rest.length === 1 ? 'one other' : `${rest.length} others`} are typing…`;
}

const MAX_NAME_SHOWN = 16;
