/** The keys of the board, in a dialog. keyboard.ts and view/pointing.ts do what it says. */

import { X } from 'lucide';
import { element } from '../../dom';
import { icon } from '../../parts/icons';

export function shortcutsDialog(): { readonly element: HTMLDialogElement; readonly open: () => void } {
  const close = element('button', { class: 'icon-button', type: 'button', 'aria-label': 'Close' }, icon(X));
  const groups = GROUPS.map(({ heading, keys }) =>
    element(
      'section',
      {},
      element('h3', {}, heading),
      element('dl', {}, ...keys.flatMap(([key, what]) => [element('dt', {}, ...keyCaps(key)), element('dd', {}, what)])),
    ),
  );
  const dialog = element(
    'dialog',
    { class: 'shortcuts', 'aria-labelledby': 'shortcuts-heading' },
    element('header', { class: 'dialog-head' }, element('h2', { id: 'shortcuts-heading' }, 'Keys of the board'), close),
    element('div', { class: 'shortcut-groups', tabindex: '0', role: 'group', 'aria-label': 'List of keys' }, ...groups),
  );
  close.addEventListener('click', () => dialog.close());
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();
  });
  return { element: dialog, open: () => dialog.showModal() };
}

function keyCaps(keys: string): (Node | string)[] {
  const caps = keys.split(' ').map((key) => (key === '/' || key === '+' ? key : element('kbd', {}, IS_MAC && key === 'Ctrl' ? '⌘' : key)));
  return caps.flatMap((cap, at) => (at === 0 ? [cap] : [' ', cap]));
}

const IS_MAC = /mac|iphone|ipad/i.test(navigator.platform);

const GROUPS: readonly { readonly heading: string; readonly keys: readonly (readonly [string, string])[] }[] = [
  {
    heading: 'Tools',
    keys: [
      ['V / H', 'Select, move the view'],
      ['P / E', 'Pen, eraser'],
      ['R / O', 'Rectangle, ellipse'],
      ['L / A', 'Line, arrow'],
      ['T / N', 'Text, sticky note'],
      ['I', 'Image from a file; or paste or drop one'],
      ['Enter', 'Place what the tool makes in the middle'],
    ],
  },
  {
    heading: 'View',
    keys: [
      ['Space', 'Hold to move the view; or the middle button'],
      ['Ctrl + Wheel', 'Zoom; the wheel alone moves'],
      ['+ / −', 'Zoom in and out'],
      ['Ctrl + 0', 'Back to 100 %'],
      ['Shift + 1', 'Show everything'],
      ['Ctrl + Z', 'Undo, with Shift redo'],
      ['?', 'These keys'],
    ],
  },
  {
    heading: 'Shapes',
    keys: [
      ['Enter', 'Select the first; write into the selected'],
      ['Tab', 'Next shape, with Shift the one before'],
      ['Arrows', 'Move by 1, with Shift by 10'],
      ['. / ,', 'Turn by 15°'],
      ['Ctrl + D', 'Duplicate; or drag with Alt'],
      ['Ctrl + ]', 'Bring forward, with Shift to the front'],
      ['Ctrl + [', 'Send backward, with Shift to the back'],
      ['Ctrl + A', 'Select all'],
      ['Ctrl + C', 'Copy; X cuts, V pastes'],
      ['Del', 'Delete'],
      ['Esc', 'Cancel, let go'],
    ],
  },
  {
    heading: 'While dragging',
    keys: [
      ['Shift', 'Straight, in proportion, in steps of 15°'],
      ['Alt', 'From the middle'],
      ['Ctrl', 'Snap not, or snap when that is off'],
    ],
  },
];
