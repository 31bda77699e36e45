/** Says in plain words why the server closed the document for good, and what can be done. */

import { element } from '../dom';
import { ACCESS_DENIED, DOCUMENT_DELETED, SIGN_IN_NEEDED, type ConnectionState } from '../session/connection-state';
import type { Watched } from '../watched';

export function closedNotice(connection: Watched<ConnectionState>): HTMLElement {
  const notice = element('section', { class: 'notice', role: 'alert', hidden: true });
  connection.watch((state) => {
    notice.hidden = state.kind !== 'closed';
    if (state.kind !== 'closed') return;
    const { heading, advice } = words(state.code);
    const said = state.reason === '' ? '' : ` The server says: ${state.reason}.`;
    const retry = element('button', { class: 'button', type: 'button' }, 'Try again');
    retry.addEventListener('click', () => location.reload());
    notice.replaceChildren(
      element('div', {}, element('h2', {}, heading), element('p', {}, state.code === DOCUMENT_DELETED ? advice : advice + said)),
      element(
        'div',
        { class: 'notice-actions' },
        ...(state.code === DOCUMENT_DELETED ? [] : [retry]),
        element('a', { class: 'button', href: '/' }, 'Start page'),
      ),
    );
  });
  return notice;
}

function words(code: number): { readonly heading: string; readonly advice: string } {
  switch (code) {
    case DOCUMENT_DELETED:
      return {
        heading: 'This document was deleted',
        advice: 'What you see below is no longer saved. You can still select and copy it.',
      };
    case SIGN_IN_NEEDED:
      return { heading: 'Sign in to open this document', advice: 'The server does not know who you are.' };
    case ACCESS_DENIED:
      return { heading: 'You cannot open this document', advice: 'Ask its owner for access.' };
    default:
      return { heading: 'The server closed this document', advice: 'It will not open again by itself.' };
  }
}
