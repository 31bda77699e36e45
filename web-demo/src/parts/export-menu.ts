/** Links that download the document as the server has it. */

import type { DocumentName } from '../document-name';
import { element } from '../dom';
import { exportPath, type ExportFormat } from '../routes';

export function exportMenu(name: DocumentName): HTMLElement {
  const summary = element('summary', { class: 'button' }, 'Export');
  const menu = element(
    'details',
    { class: 'menu' },
    summary,
    element('ul', { class: 'menu-items' }, ...CHOICES.map((choice) => element('li', {}, link(name, choice)))),
  );
  const close = (): void => menu.removeAttribute('open');
  menu.addEventListener('click', (event) => {
    if (event.target instanceof HTMLAnchorElement) close();
  });
  menu.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !menu.open) return;
    close();
    summary.focus();
  });
  document.addEventListener('pointerdown', (event) => {
    if (event.target instanceof Node && !menu.contains(event.target)) close();
  });
  return menu;
}

function link(name: DocumentName, { format, label, ending }: Choice): HTMLElement {
  const file = `${name.replace(/[\\/:*?"<>|]/g, '-')}.${ending}`;
  return element('a', { href: exportPath(name, format), download: file }, label);
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
