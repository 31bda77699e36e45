/** Shows the notices between the bar and the document, and carries out what they offer. */

import type { DocumentName } from '../document-name';
import { element } from '../dom';
import { documentPath } from '../routes';
import { DOCUMENT_DELETED } from '../session/connection-state';
import type { DocumentSession } from '../session/document-session';
import { closedWords, troubleWords, type NoticeFacts, type NoticeWords, type Offer } from './notice-words';

/** `onGone` is called when nothing of a deleted document is left in this browser. */
export function notices(session: DocumentSession, onGone: () => void): HTMLElement {
  const closed = noticeArea('alert', session, onGone);
  const trouble = noticeArea('status', session, onGone);
  const draw = (): void => {
    const facts: NoticeFacts = {
      connection: session.connection.value,
      saving: session.saving.value,
      access: session.access.value,
      unsavable: session.unsavable.value,
      hasContent: session.hasContent,
      keepsCopy: session.localCopy.state.value === 'keeping',
    };
    closed.show(closedWords(facts));
    trouble.show(troubleWords(facts));
  };
  for (const watched of [session.connection, session.saving, session.access, session.unsavable, session.localCopy.state]) {
    watched.watch(draw);
  }
  return element('div', { class: 'notices' }, closed.element, trouble.element);
}

interface NoticeArea {
  readonly element: HTMLElement;
  readonly show: (words: NoticeWords | undefined) => void;
}

function noticeArea(role: 'alert' | 'status', session: DocumentSession, onGone: () => void): NoticeArea {
  const area = element('section', { class: 'notice', role, hidden: true });
  let shown = '';
  return {
    element: area,
    show: (words) => {
      // Drawing the same again would take the focus from its buttons and have it read out again.
      const next = JSON.stringify(words ?? null);
      if (next === shown) return;
      shown = next;
      area.hidden = words === undefined;
      area.replaceChildren(...(words === undefined ? [] : noticeParts(words, session, onGone)));
    },
  };
}

function noticeParts({ heading, advice, offers }: NoticeWords, session: DocumentSession, onGone: () => void): HTMLElement[] {
  const problem = element('p', { class: 'problem', hidden: true });
  const words = element('div', {}, element('h2', {}, heading), element('p', { hidden: advice === '' }, advice), problem);
  const say = (text: string): void => {
    problem.textContent = text;
    problem.hidden = false;
  };
  const buttons = offers.map((offer) => offerButton(offer, session, onGone, say));
  return buttons.length === 0 ? [words] : [words, element('div', { class: 'notice-actions' }, ...buttons)];
}

function offerButton(offer: Offer, session: DocumentSession, onGone: () => void, say: (text: string) => void): HTMLElement {
  switch (offer) {
    case 'keep':
      return keepButton(session, onGone, say);
    case 'discard':
      return discardButton(session, onGone);
    case 'retry':
      return button('Try again', '', () => {
        // A fresh page leaves out what was deleted meanwhile, which an undo still holds here.
        if (session.localCopy.isComplete) location.reload();
        else session.retry();
      });
    case 'start-page':
      return element('a', { class: 'button', href: '/' }, 'Start page');
  }
}

function keepButton(session: DocumentSession, onGone: () => void, say: (text: string) => void): HTMLElement {
  const wasDeleted = isDeleted(session);
  const keep = button('Keep a copy as a new document', ' primary', () => {
    keep.disabled = true;
    void session.keepAsNew().then(
      (name: DocumentName) => {
        if (wasDeleted) onGone();
        location.assign(documentPath(name));
      },
      () => {
        keep.disabled = false;
        say('The copy could not be made. Select what you need and copy it to a safe place, or try again.');
      },
    );
  });
  return keep;
}

/** Asks again in its own label: what is discarded is nowhere else. */
function discardButton(session: DocumentSession, onGone: () => void): HTMLElement {
  const wasDeleted = isDeleted(session);
  let isSure = false;
  const discard = button('Discard', '', () => {
    if (!isSure) {
      isSure = true;
      discard.textContent = 'Discard for good';
      return;
    }
    discard.disabled = true;
    void session.giveUpCopy().then(() => {
      if (wasDeleted) onGone();
      if (wasDeleted) location.assign('/');
      else location.reload();
    });
  });
  return discard;
}

function isDeleted(session: DocumentSession): boolean {
  const state = session.connection.value;
  return state.kind === 'closed' && state.code === DOCUMENT_DELETED;
}

function button(label: string, kind: string, onClick: () => void): HTMLButtonElement {
  const created = element('button', { class: `button${kind}`, type: 'button' }, label);
  created.addEventListener('click', onClick);
  return created;
}
