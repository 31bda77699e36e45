/** Links to the document, and code that connects another program to this very document. */

import { X } from 'lucide';
import { encodeName, type DocumentName } from '../document-name';
import { element } from '../dom';
import { documentPath, exportPath, socketBase } from '../routes';
import { copyButton } from './copying';
import { icon } from './icons';

export function shareDialog(name: DocumentName): { readonly element: HTMLDialogElement; readonly open: () => void } {
  const link = new URL(documentPath(name), location.href).href;
  const close = element('button', { class: 'icon-button', type: 'button', 'aria-label': 'Close' }, icon(X));
  const dialog = element(
    'dialog',
    { class: 'share', 'aria-labelledby': 'share-heading' },
    element('header', { class: 'dialog-head' }, element('h2', { id: 'share-heading' }, 'Share this document'), close),
    linkField('share-link', 'Link to write and draw together', link),
    linkField('share-view-link', 'Link to look on', `${link}?view`),
    element('h3', {}, 'Connect your own client'),
    element('p', { class: 'muted' }, 'Any Yjs editor can join this document with y-websocket:'),
    codeBlock('y-websocket code', clientCode(name)),
    element('p', { class: 'muted' }, 'Programs read and write it over HTTP:'),
    codeBlock('curl commands', curlCode(name)),
  );
  close.addEventListener('click', () => dialog.close());
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();
  });
  return { element: dialog, open: () => dialog.showModal() };
}

export function clientCode(name: DocumentName): string {
  // y-websocket puts the name into the address as it is.
  return [
    "import * as Y from 'yjs'",
    "import { WebsocketProvider } from 'y-websocket'",
    '',
    'const ydoc = new Y.Doc()',
    `const provider = new WebsocketProvider(${quoted(socketBase(location))}, ${quoted(encodeName(name))}, ydoc)`,
    '',
    "const text = ydoc.getText('text')    // the Markdown",
    "const board = ydoc.getMap('board')   // the shapes by id",
    "provider.on('sync', () => console.log(text.toString(), board.toJSON()))",
  ].join('\n');
}

function curlCode(name: DocumentName): string {
  const address = (format: 'json' | 'update'): string => new URL(exportPath(name, format), location.href).href;
  const updates = new URL(`/api/docs/${encodeName(name)}/updates`, location.href).href;
  return [`curl '${address('json')}'`, `curl '${address('update')}' -o backup.yjs`, `curl -X POST --data-binary @backup.yjs '${updates}'`].join('\n');
}

function linkField(id: string, label: string, link: string): HTMLElement {
  const input = element('input', { id, type: 'text', readonly: true, value: link });
  input.addEventListener('focus', () => input.select());
  return element(
    'div',
    { class: 'link-field' },
    element('label', { for: id }, label),
    element('div', { class: 'field' }, input, copyButton('Copy', () => link)),
  );
}

function codeBlock(label: string, code: string): HTMLElement {
  return element(
    'div',
    { class: 'code-block' },
    element('pre', { tabindex: '0', role: 'region', 'aria-label': label }, element('code', {}, code)),
    copyButton('Copy', () => code, 'button small'),
  );
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
