/** Says whom this page follows, and stops it. */

import { element } from '../dom';
import { readableOn } from '../colours';
import type { Following } from '../session/following';

export function followingNote(following: Following, panes: HTMLElement): HTMLElement {
  const name = element('span');
  const stop = element('button', { class: 'button small', type: 'button' }, 'Stop');
  stop.addEventListener('click', () => following.stop());
  const note = element('p', { class: 'following', role: 'status', hidden: true }, name, stop);
  following.sight.watch((sight) => {
    note.hidden = sight === undefined;
    panes.classList.toggle('is-following', sight !== undefined);
    if (sight === undefined) return;
    name.textContent = `Following ${sight.name}`;
    for (const followed of [note, panes]) {
      followed.style.setProperty('--person', sight.colour);
      followed.style.setProperty('--on-person', readableOn(sight.colour));
    }
  });
  return note;
}
