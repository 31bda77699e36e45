/** Undo, redo, snapping, zoom, help. */

import { CircleQuestionMark, Magnet, Maximize, Minus, Plus, Redo2, Undo2, type IconNode } from 'lucide';
import { element } from '../../dom';
import { icon } from '../../parts/icons';
import { toolbar } from '../../parts/toolbar';
import type { Workbench } from '../workbench';

export interface ViewBarParts {
  /** The view was moved by hand. */
  readonly onLook: () => void;
  readonly onHelp: () => void;
}

export function viewBar(bench: Workbench, { onLook, onHelp }: ViewBarParts): HTMLElement {
  const { camera, board } = bench;
  const button = (label: string, key: string, node: IconNode, act: () => void): HTMLButtonElement => {
    const made = element('button', { class: 'icon-button', type: 'button', title: `${label} (${key})`, 'aria-label': label }, icon(node, 18));
    made.addEventListener('click', act);
    return made;
  };
  const undo = button('Undo on the board', 'Ctrl+Z', Undo2, () => board.undo());
  const redo = button('Redo on the board', 'Ctrl+Shift+Z', Redo2, () => board.redo());
  const showSteps = (): void => {
    const { editable } = bench;
    undo.disabled = !editable.value || board.undoManager.undoStack.length === 0;
    redo.disabled = !editable.value || board.undoManager.redoStack.length === 0;
  };
  for (const event of ['stack-item-added', 'stack-item-popped', 'stack-cleared'] as const) board.undoManager.on(event, showSteps);
  bench.editable.watch(showSteps);
  const snapping = button('Snap to other shapes', 'hold Ctrl for the opposite', Magnet, () => {
    bench.snapping.value = !bench.snapping.value;
  });
  bench.snapping.watch((on) => snapping.setAttribute('aria-pressed', String(on)));
  const zoom = (factor: number) => (): void => {
    onLook();
    camera.zoomTo(camera.view.value.zoom * factor);
  };
  const percent = element('button', { class: 'icon-button zoom-level', type: 'button', title: 'Back to 100 % (Ctrl+0)' });
  percent.addEventListener('click', () => {
    onLook();
    camera.zoomTo(1);
  });
  camera.view.watch(({ zoom: now }) => {
    const text = `${Math.round(now * 100)} %`;
    if (percent.textContent === text) return;
    percent.textContent = text;
    percent.setAttribute('aria-label', `Zoom ${text}, back to 100 %`);
  });
  const fit = button('Show everything', 'Shift+1', Maximize, () => {
    onLook();
    if (bench.wholeBox !== undefined) camera.fit(bench.wholeBox);
  });
  const help = button('Keys of the board', '?', CircleQuestionMark, onHelp);
  const out = button('Zoom out', '−', Minus, zoom(1 / 1.25));
  const into = button('Zoom in', '+', Plus, zoom(1.25));
  return toolbar({ label: 'View of the board', className: 'view-bar' }, undo, redo, snapping, out, percent, into, fit, help);
}
