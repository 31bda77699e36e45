/** The people in the document. Our own entry is a button that opens our profile. */

import { readableOn } from '../colours';
import { element } from '../dom';
import type { Person } from '../session/presence';
import type { Watched } from '../watched';

export function peopleList(people: Watched<readonly Person[]>, onEditSelf: () => void): HTMLElement {
  const list = element('ul', { class: 'people', 'aria-label': 'People in this document' });
  // Our own button stays the same element, so that it keeps the focus when others come and go.
  const self = element('button', { class: 'person self', type: 'button', title: 'Change your name and colour' });
  self.addEventListener('click', onEditSelf);
  const selfItem = element('li', {}, self);
  people.watch((present) => {
    const others = present.filter((person) => !person.isSelf);
    const own = present.find((person) => person.isSelf);
    if (own !== undefined) self.replaceChildren(...personParts(own), element('span', { class: 'you' }, 'you'));
    const items = others.slice(0, MAX_SHOWN).map((person) => element('li', { class: 'person' }, ...personParts(person)));
    if (others.length > MAX_SHOWN) {
      items.push(element('li', { class: 'person muted' }, `and ${others.length - MAX_SHOWN} more`));
    }
    // Removing the focused button would lose the focus: only what stands around it is replaced.
    if (selfItem.parentNode === null) list.prepend(selfItem);
    while (selfItem.nextSibling !== null) selfItem.nextSibling.remove();
    list.append(...items);
  });
  return list;
}

function personParts(person: Person): HTMLElement[] {
  const badge = element('span', { class: 'initials', 'aria-hidden': 'true' }, initials(person.name));
  badge.style.backgroundColor = person.colour;
  badge.style.color = readableOn(person.colour);
  return [badge, element('span', { class: 'person-name' }, person.name)];
}

function initials(name: string): string {
  const words = name.split(' ').filter((word) => word !== '');
  const first = [...(words[0] ?? '')][0] ?? '';
  const last = words.length > 1 ? ([...(words.at(-1) ?? '')][0] ?? '') : '';
  return (first + last).toUpperCase();
}

const MAX_SHOWN = 24;
