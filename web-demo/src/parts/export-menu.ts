/** Takes the document away: as the server has it, and the board as this page paints it. */

import { Download } from 'lucide';
import type { DocumentName } from '../document-name';
import { element } from '../dom';
import { exportPath, type ExportFormat } from '../routes';
import { dropDown } from './drop-down';
import { icon } from './icons';

export interface BoardPictures {
  readonly svg: () => Blob;
  readonly png: () => Promise<Blob>;
}

export function exportMenu(name: DocumentName, pictures: BoardPictures): HTMLElement {
  const summary = element('summary', { class: 'button', 'aria-label': 'Export' }, icon(Download, 17), element('span', { class: 'wide-label' }, 'Export'));
  const items = [
    ...CHOICES.map((choice) => link(name, choice)),
    pictureButton('Board as PNG', fileName(name, 'png'), () => pictures.png()),
    pictureButton('Board as SVG', fileName(name, 'svg'), () => Promise.resolve(pictures.svg())),
  ];
  const said = element('span', { class: 'visually-hidden', role: 'status' });
  const panel = element('ul', { class: 'menu-items' }, ...items.map((item) => element('li', {}, item)));
  const menu = dropDown({ className: 'export', summary, panel }).element;
  menu.append(said);
  return menu;
}

function link(name: DocumentName, { format, label, ending }: Choice): HTMLElement {
  return element('a', { href: exportPath(name, format), download: fileName(name, ending), 'data-closes': true }, label);
}

function pictureButton(label: string, file: string, make: () => Promise<Blob>): HTMLElement {
  const button = element('button', { type: 'button', 'data-closes': true }, label);
  button.addEventListener('click', () => void make().then((blob) => download(blob, file)));
  return button;
}

function download(blob: Blob, file: string): void {
  const address = URL.createObjectURL(blob);
  element('a', { href: address, download: file }).click();
  // The browser reads the address after this turn.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

function fileName(name: DocumentName, ending: string): string {
  return `${name.replace(/[\\/:*?"<>|]/g, '-')}.${ending}`;
}

interface Choice {
  readonly format: ExportFormat;
  readonly label: string;
  readonly ending: string;
}

const CHOICES: readonly Choice[] = [
  { format: 'text', label: 'Text (Markdown)', ending: 'md' },
  { format: 'json', label: 'JSON', ending: 'json' },
  { format: 'update', label: 'Yjs update, for a backup', ending: 'yjs' },
];
