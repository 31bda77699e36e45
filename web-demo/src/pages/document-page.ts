/** A document's page: builds its parts around one session. The parts know the session, never each other. */

import { Share2 } from 'lucide';
import { BoardPane } from '../board/board-pane';
import type { DocumentName } from '../document-name';
import { element } from '../dom';
import { TextPane } from '../editor/text-pane';
import iconUrl from '../icon.svg';
import { arrivals } from '../parts/arrivals';
import { chatPanel } from '../parts/chat-panel';
import { connectionBadge } from '../parts/connection-badge';
import { exportMenu } from '../parts/export-menu';
import { followingNote } from '../parts/following-note';
import { icon } from '../parts/icons';
import { notices } from '../parts/notices';
import { paneSwitch, type PaneSwitch } from '../parts/pane-switch';
import { peopleList } from '../parts/people-list';
import { profileDialog } from '../parts/profile-dialog';
import { problemNote } from '../parts/problem-note';
import { shareDialog } from '../parts/share-dialog';
import { splitHandle } from '../parts/split-handle';
import { typingLine } from '../parts/typing-line';
import { loadProfile, saveProfile } from '../profile';
import { forgetDocument, rememberDocument } from '../recent-documents';
import { boardPresence } from '../session/board-presence';
import { Chat } from '../session/chat';
import { DOCUMENT_DELETED } from '../session/connection-state';
import { DocumentSession } from '../session/document-session';
import { Following } from '../session/following';

export function showDocumentPage(root: HTMLElement, name: DocumentName): void {
  document.title = `${name} · ydock`;
  let profile = loadProfile();
  const session = new DocumentSession({ name, profile, asks: asksForView() ? 'read-only' : 'edit' });
  const profiles = profileDialog((changed) => {
    profile = changed;
    saveProfile(changed);
    session.presence.introduce(changed);
    chat.introduce(changed);
  });
  const chat = new Chat({ name, profile, clientId: session.doc.clientID });
  const { button: chatButton, panel } = chatPanel(chat, session.presence.people);
  const following = new Following(session.awareness);
  const problems = problemNote();
  const sides = buildSides(session, following, problems.show);
  const share = shareDialog(name);
  const shareButton = element('button', { class: 'button', type: 'button', 'aria-label': 'Share' }, icon(Share2, 17), element('span', { class: 'wide-label' }, 'Share'));
  shareButton.addEventListener('click', () => share.open());
  const people = peopleList({
    people: session.presence.people,
    followed: following.followed,
    onEditSelf: () => profiles.open(profile),
    onFollow: (clientId) => following.toggle(clientId),
  });
  root.replaceChildren(
    element(
      'div',
      { class: 'document' },
      element(
        'header',
        { class: 'bar' },
        element('a', { class: 'home', href: '/', 'aria-label': 'Start page' }, homeIcon()),
        element('h1', { class: 'title', title: name }, name),
        sides.panes.element,
        people,
        element('div', { class: 'actions' }, chatButton, shareButton, exportMenu(name, { svg: () => sides.board.svg(), png: () => sides.board.png() })),
      ),
      notices(session, () => forgetDocument(name)),
      sides.element,
      panel,
      element(
        'footer',
        { class: 'foot' },
        connectionBadge(session.connection, session.saving),
        typingLine(session.typing.typists, session.presence.people),
      ),
    ),
    profiles.element,
    share.element,
    problems.element,
    arrivals(session.connection, session.presence.people),
  );
  keepRecentInStep(session, name);
  addEventListener('beforeunload', (event) => {
    if (session.wouldLoseEdits) event.preventDefault();
  });
}

interface Sides {
  readonly element: HTMLElement;
  readonly board: BoardPane;
  readonly panes: PaneSwitch;
}

/** Text and board, side by side or alone. */
function buildSides(session: DocumentSession, following: Following, onProblems: (problems: readonly string[]) => void): Sides {
  const panes = paneSwitch();
  const paper = element('section', { class: 'paper', 'aria-label': 'Text' });
  const host = element('main', { class: 'panes' });
  const text = new TextPane(paper, {
    text: session.text,
    awareness: session.awareness,
    onBlur: () => session.typing.stop(),
    onScroll: (cause) => {
      if (cause === 'person') following.stop();
      session.presence.publish(following.passedOn({ top: text.top() }));
    },
  });
  const board = new BoardPane({
    root: session.board,
    presence: boardPresence(session.awareness, (trace) => session.presence.publish(following.passedOn(trace))),
    editable: session.editable,
    onActivity: () => session.typing.active('board'),
    onLook: () => following.stop(),
    onProblems,
  });
  host.append(paper, splitHandle(host), board.element, followingNote(following, host));
  panes.shown.watch((shown) => {
    host.dataset['panes'] = shown;
  });
  for (const [side, pane] of [[paper, 'text'], [board.element, 'board']] as const) {
    side.addEventListener('pointerdown', () => session.presence.publish({ pane }), { capture: true });
    side.addEventListener('focusin', () => session.presence.publish({ pane }));
  }
  following.sight.watch((sight) => {
    if (sight?.pane !== undefined) panes.reveal(sight.pane);
    if (sight?.viewport !== undefined) board.show(sight.viewport);
    if (sight !== undefined) text.scrollTo(sight.top);
    else board.publishView();
  });
  const setMode = (): void => {
    if (session.loaded.value) text.mode = session.editable.value ? 'writing' : 'read-only';
  };
  session.editable.watch(setMode);
  session.loaded.watch((loaded) => {
    if (!loaded) return;
    setMode();
    board.showAll();
    if (document.activeElement === document.body && panes.shown.value !== 'board') text.focus();
  });
  session.connection.watch(({ kind }) => {
    if (kind === 'connected') board.arrived();
  });
  return { element: host, board, panes };
}

function keepRecentInStep(session: DocumentSession, name: DocumentName): void {
  rememberDocument(name);
  session.connection.watch((state) => {
    // What is still in this browser is to be found again, until the person has decided about it.
    if (state.kind === 'closed' && state.code === DOCUMENT_DELETED && !session.hasContent) forgetDocument(name);
  });
}

/** An address that ends in `?view` is for looking on. */
function asksForView(): boolean {
  return new URLSearchParams(location.search).has('view');
}

function homeIcon(): HTMLElement {
  return element('img', { src: iconUrl, alt: '', width: '28', height: '28' });
}
