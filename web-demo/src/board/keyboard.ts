/** The keys of the board. Listed for people in the help panel: see parts/shortcuts.ts. */

import {
  deleteSelection,
  duplicateSelection,
  nudge,
  placeByKey,
  restack,
  selectAll,
  selectNeighbour,
  turn,
  writeIntoSelection,
} from './actions';
import { TOOLS } from './tools/tools';
import type { ToolName, Workbench } from './workbench';

export interface KeyboardParts {
  readonly surface: HTMLElement;
  readonly bench: Workbench;
  /** Ends what the pointer does; false when it does nothing. */
  readonly cancelDrag: () => boolean;
  readonly onSpace: (held: boolean) => void;
  /** The view was moved by hand. */
  readonly onLook: () => void;
  readonly onPickImage: () => void;
  readonly onHelp: () => void;
}

export const TOOL_KEYS: Readonly<Record<ToolName, string>> = {
  select: 'v',
  hand: 'h',
  pen: 'p',
  eraser: 'e',
  rectangle: 'r',
  ellipse: 'o',
  line: 'l',
  arrow: 'a',
  text: 't',
  note: 'n',
};

export function listenToKeys(parts: KeyboardParts): void {
  const { surface, onSpace } = parts;
  surface.addEventListener('keydown', (event) => {
    if (event.target !== surface) return;
    const command = event.ctrlKey || event.metaKey;
    const handled = command ? commandKey(event, parts) : plainKey(event, parts);
    if (handled) event.preventDefault();
  });
  surface.addEventListener('keyup', (event) => {
    if (event.key === ' ') onSpace(false);
  });
  surface.addEventListener('blur', () => onSpace(false));
}

function commandKey(event: KeyboardEvent, { bench, onLook }: KeyboardParts): boolean {
  const { board, camera, editable } = bench;
  switch (event.key.toLowerCase()) {
    case 'z':
      if (editable.value && event.shiftKey) board.redo();
      else if (editable.value) board.undo();
      return true;
    case 'y':
      if (editable.value) board.redo();
      return true;
    case 'a':
      selectAll(bench);
      return true;
    case 'd':
      duplicateSelection(bench);
      return true;
    case ']':
      restack(bench, event.shiftKey || event.altKey ? 'front' : 'forward');
      return true;
    case '}':
      restack(bench, 'front');
      return true;
    case '[':
      restack(bench, event.shiftKey || event.altKey ? 'back' : 'backward');
      return true;
    case '{':
      restack(bench, 'back');
      return true;
    case '+':
    case '=':
      onLook();
      camera.zoomTo(camera.view.value.zoom * 1.25);
      return true;
    case '-':
      onLook();
      camera.zoomTo(camera.view.value.zoom / 1.25);
      return true;
    case '0':
      onLook();
      camera.zoomTo(1);
      return true;
    default:
      return false;
  }
}

function plainKey(event: KeyboardEvent, parts: KeyboardParts): boolean {
  const { bench, cancelDrag, onSpace, onLook, onPickImage, onHelp } = parts;
  switch (event.key) {
    case ' ':
      onSpace(true);
      return true;
    case 'Escape':
      if (!cancelDrag()) {
        if (bench.tool.value !== 'select') bench.tool.value = 'select';
        else bench.select([]);
      }
      return true;
    case 'Delete':
    case 'Backspace':
      deleteSelection(bench);
      return true;
    case 'Enter':
    case 'F2':
      return enter(bench);
    case 'Tab':
      // With nothing selected, Tab leaves the board as it leaves everything else.
      if (bench.selection.value.size === 0) return false;
      selectNeighbour(bench, event.shiftKey ? -1 : 1);
      return true;
    case 'ArrowLeft':
    case 'ArrowRight':
    case 'ArrowUp':
    case 'ArrowDown':
      arrow(event, bench, onLook);
      return true;
    case '!':
      onLook();
      if (bench.wholeBox !== undefined) bench.camera.fit(bench.wholeBox);
      return true;
    case '+':
    case '=':
      onLook();
      bench.camera.zoomTo(bench.camera.view.value.zoom * 1.25);
      return true;
    case '-':
      onLook();
      bench.camera.zoomTo(bench.camera.view.value.zoom / 1.25);
      return true;
    case '.':
      turn(bench, 15);
      return true;
    case ',':
      turn(bench, -15);
      return true;
    case '?':
      onHelp();
      return true;
    case 'i':
      if (bench.editable.value && !event.altKey) onPickImage();
      return true;
    default:
      return pickTool(event, bench);
  }
}

/** Without a selection Enter places what the tool makes, or selects the first shape; with one it writes. */
function enter(bench: Workbench): boolean {
  const tool = bench.tool.value;
  if (TOOLS[tool].edits) return bench.editable.value && placeByKey(tool, bench);
  if (bench.selection.value.size === 0) {
    selectNeighbour(bench, 1);
    return true;
  }
  return writeIntoSelection(bench);
}

function arrow(event: KeyboardEvent, bench: Workbench, onLook: () => void): void {
  const step = event.shiftKey ? 10 : 1;
  const by = ARROWS[event.key] ?? { x: 0, y: 0 };
  if (bench.selection.value.size > 0 && bench.editable.value) {
    nudge(bench, { x: by.x * step, y: by.y * step });
    return;
  }
  onLook();
  bench.camera.pan({ x: -by.x * step * PAN_PIXELS, y: -by.y * step * PAN_PIXELS });
}

function pickTool(event: KeyboardEvent, bench: Workbench): boolean {
  if (event.altKey) return false;
  const found = Object.entries(TOOL_KEYS).find(([, key]) => key === event.key.toLowerCase())?.[0] as ToolName | undefined;
  if (found === undefined || (TOOLS[found].edits && !bench.editable.value)) return false;
  bench.tool.value = found;
  return true;
}

const ARROWS: Readonly<Record<string, { readonly x: number; readonly y: number }>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};
const PAN_PIXELS = 40;
