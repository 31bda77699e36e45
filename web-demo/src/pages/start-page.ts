/** The start page: a new document, one by its name, and those opened last. */

import { parseDocumentName, type DocumentName } from '../document-name';
import { element } from '../dom';
import iconUrl from '../icon.svg';
import { randomDocumentName } from '../random-names';
import { forgetDocument, recentDocuments, type RecentDocument } from '../recent-documents';
import { documentPath } from '../routes';

export function showStartPage(root: HTMLElement): void {
  document.title = 'ydock';
  root.replaceChildren(
    element(
      'main',
      { class: 'start' },
      element(
        'header',
        { class: 'start-header' },
        element('img', { src: iconUrl, alt: '', width: '48', height: '48' }),
        element('h1', {}, 'ydock'),
      ),
      element('p', { class: 'lead' }, 'Write and draw together in one document, at the same time. Everyone with the link takes part.'),
      newDocument(),
      openByName(),
      recentList(),
    ),
  );
}

function newDocument(): HTMLElement {
  const button = element('button', { class: 'button primary large', type: 'button' }, 'New document');
  button.addEventListener('click', () => open(randomDocumentName()));
  return element('p', { class: 'new-document' }, button);
}

function openByName(): HTMLElement {
  const input = element('input', {
    id: 'open-name',
    name: 'name',
    type: 'text',
    autocomplete: 'off',
    autocapitalize: 'none',
    spellcheck: 'false',
    'aria-describedby': 'open-problem',
  });
  const problem = element('p', { id: 'open-problem', class: 'problem', role: 'alert' });
  const form = element(
    'form',
    { class: 'open-form', novalidate: true },
    element('label', { for: 'open-name' }, 'Open a document by its name'),
    element('div', { class: 'field' }, input, element('button', { class: 'button', type: 'submit' }, 'Open')),
    problem,
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const parsed = parseDocumentName(input.value.trim());
    if (parsed.ok) {
      open(parsed.name);
      return;
    }
    problem.textContent = parsed.problem;
    input.setAttribute('aria-invalid', 'true');
    input.focus();
  });
  input.addEventListener('input', () => {
    problem.textContent = '';
    input.removeAttribute('aria-invalid');
  });
  return form;
}

function recentList(): HTMLElement {
  const list = element('ul', { class: 'recent-list' });
  const empty = element('p', { class: 'muted' }, 'Documents that you open appear here.');
  const section = element(
    'section',
    { class: 'recent', 'aria-labelledby': 'recent-heading' },
    element('h2', { id: 'recent-heading' }, 'Recent documents'),
    list,
    empty,
  );
  const draw = (): void => {
    const documents = recentDocuments();
    empty.hidden = documents.length > 0;
    list.hidden = documents.length === 0;
    list.replaceChildren(
      ...documents.map((recent) =>
        recentItem(recent, () => {
          forgetDocument(recent.name);
          draw();
        }),
      ),
    );
  };
  draw();
  // A page that comes back from the browser's cache has an old list.
  addEventListener('pageshow', draw);
  return section;
}

function recentItem({ name, openedAt }: RecentDocument, onForget: () => void): HTMLElement {
  const opened = new Date(openedAt);
  const forget = element(
    'button',
    { class: 'forget', type: 'button', title: 'Forget', 'aria-label': `Forget ${name}` },
    '×',
  );
  forget.addEventListener('click', onForget);
  return element(
    'li',
    {},
    element('a', { href: documentPath(name) }, name),
    element('time', { datetime: opened.toISOString(), class: 'muted' }, WHEN.format(opened)),
    forget,
  );
}

function open(name: DocumentName): void {
  location.assign(documentPath(name));
}

const WHEN = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
