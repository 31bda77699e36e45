/** The people in the document. Our own entry opens our profile; those of others follow them, or stop following. */

import { readableOn } from '../colours';
import { element } from '../dom';
import type { Person } from '../session/presence';
import type { Watched } from '../watched';

export interface PeopleListParts {
  readonly people: Watched<readonly Person[]>;
  /** The client id of the person that is followed. */
  readonly followed: Watched<number | undefined>;
  readonly onEditSelf: () => void;
  readonly onFollow: (clientId: number) => void;
}

export function peopleList({ people, followed, onEditSelf, onFollow }: PeopleListParts): HTMLElement {
  const list = element('ul', { class: 'people', 'aria-label': 'People in this document' });
  // Buttons stay the same elements, so that they keep the focus when others come and go.
  const self = element('button', { class: 'person self', type: 'button', title: 'Change your name and colour' });
  self.addEventListener('click', onEditSelf);
  const selfItem = element('li', {}, self);
  const items = new Map<number, HTMLElement>();
  const more = element('li', { class: 'person muted' });
  const draw = (): void => {
    const own = people.value.find((person) => person.isSelf);
    if (own !== undefined) self.replaceChildren(...personParts(own), element('span', { class: 'you' }, 'you'));
    const others = people.value.filter((person) => !person.isSelf);
    const shown = others.slice(0, MAX_SHOWN);
    const wanted: HTMLElement[] = [selfItem, ...shown.map((person) => drawItem(person, items, { followed, onFollow }))];
    for (const clientId of items.keys()) {
      if (shown.some((person) => person.clientId === clientId)) continue;
      items.get(clientId)?.remove();
      items.delete(clientId);
    }
    more.textContent = `and ${others.length - MAX_SHOWN} more`;
    if (others.length > MAX_SHOWN) wanted.push(more);
    else more.remove();
    wanted.forEach((item, at) => {
      if (list.children[at] !== item) list.insertBefore(item, list.children[at] ?? null);
    });
  };
  people.watch(draw);
  followed.watch(draw);
  return list;
}

function drawItem(
  person: Person,
  items: Map<number, HTMLElement>,
  { followed, onFollow }: Pick<PeopleListParts, 'followed' | 'onFollow'>,
): HTMLElement {
  const item = items.get(person.clientId) ?? newItem(person.clientId, onFollow);
  items.set(person.clientId, item);
  const button = item.querySelector('button');
  const follows = followed.value === person.clientId;
  button?.replaceChildren(...personParts(person));
  button?.setAttribute('aria-pressed', String(follows));
  button?.setAttribute('title', follows ? `Stop following ${person.name}` : `Follow ${person.name}`);
  return item;
}

function newItem(clientId: number, onFollow: (clientId: number) => void): HTMLElement {
  const button = element('button', { class: 'person other', type: 'button' });
  button.addEventListener('click', () => onFollow(clientId));
  return element('li', {}, button);
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
