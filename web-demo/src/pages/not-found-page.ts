/** Shown for an address that is neither the start page nor a document. */

import { element } from '../dom';

export function showNotFoundPage(root: HTMLElement, problem: string): void {
  document.title = 'Not found · ydock';
  root.replaceChildren(
    element(
      'main',
      { class: 'start' },
      element('h1', {}, 'Not found'),
      element('p', {}, problem),
      element('p', {}, element('a', { href: '/' }, 'Go to the start page')),
    ),
  );
}
