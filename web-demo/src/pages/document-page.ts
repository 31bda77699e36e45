/** A document's page: builds its parts around one session. The parts know the session, never each other. */

import type { DocumentName } from '../document-name';
import { element } from '../dom';
import { TextPane } from '../editor/text-pane';
import iconUrl from '../icon.svg';
import { connectionBadge } from '../parts/connection-badge';
import { closedNotice } from '../parts/closed-notice';
import { copyLinkButton } from '../parts/copy-link';
import { exportMenu } from '../parts/export-menu';
import { peopleList } from '../parts/people-list';
import { profileDialog } from '../parts/profile-dialog';
import { typingLine } from '../parts/typing-line';
import { loadProfile, saveProfile } from '../profile';
import { forgetDocument, rememberDocument } from '../recent-documents';
import { DOCUMENT_DELETED } from '../session/connection-state';
import { DocumentSession } from '../session/document-session';

export function showDocumentPage(root: HTMLElement, name: DocumentName): void {
  document.title = `${name} · ydock`;
  let profile = loadProfile();
  const session = new DocumentSession(name, profile);
  const dialog = profileDialog((changed) => {
    profile = changed;
    saveProfile(changed);
    session.presence.introduce(changed);
  });
  const paper = element('main', { class: 'paper' });
  root.replaceChildren(
    element(
      'div',
      { class: 'document' },
      element(
        'header',
        { class: 'bar' },
        element('a', { class: 'home', href: '/', 'aria-label': 'Start page' }, icon()),
        element('h1', { class: 'title', title: name }, name),
        peopleList(session.presence.people, () => dialog.open(profile)),
        element('div', { class: 'actions' }, copyLinkButton(), exportMenu(name)),
      ),
      closedNotice(session.connection),
      paper,
      element(
        'footer',
        { class: 'foot' },
        connectionBadge(session.connection),
        typingLine(session.typing.typists, session.presence.people),
      ),
    ),
    dialog.element,
  );
  const editor = new TextPane(paper, {
    text: session.text,
    awareness: session.awareness,
    onBlur: () => session.typing.stop(),
  });
  keepEditorInStep(session, editor);
  keepRecentInStep(session, name);
  addEventListener('beforeunload', (event) => {
    if (session.hasUnsentEdits) event.preventDefault();
  });
}

function keepEditorInStep(session: DocumentSession, editor: TextPane): void {
  session.loaded.watch((loaded) => {
    if (!loaded) return;
    editor.mode = 'writing';
    if (document.activeElement === document.body) editor.focus();
  });
  session.connection.watch((state) => {
    if (state.kind === 'closed') editor.mode = 'read-only';
  });
}

function keepRecentInStep(session: DocumentSession, name: DocumentName): void {
  rememberDocument(name);
  session.connection.watch((state) => {
    if (state.kind === 'closed' && state.code === DOCUMENT_DELETED) forgetDocument(name);
  });
}

function icon(): HTMLElement {
  return element('img', { src: iconUrl, alt: '', width: '28', height: '28' });
}
