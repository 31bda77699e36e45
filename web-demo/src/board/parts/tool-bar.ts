/** The tools of the board. */

import {
  ArrowUpRight,
  Circle,
  Eraser,
  Hand,
  Image as ImageIcon,
  Minus,
  MousePointer2,
  PenLine,
  Square,
  StickyNote,
  Type,
  type IconNode,
} from 'lucide';
import { element } from '../../dom';
import { icon } from '../../parts/icons';
import { toolbar } from '../../parts/toolbar';
import { TOOL_KEYS } from '../keyboard';
import { TOOLS } from '../tools/tools';
import type { ToolName, Workbench } from '../workbench';

export function toolBar(bench: Workbench, onPickImage: () => void): HTMLElement {
  const buttons = CHOICES.map(({ tool, label, node }) => {
    const button = toolButton(label, TOOL_KEYS[tool], node);
    button.addEventListener('click', () => {
      bench.tool.value = tool;
    });
    bench.tool.watch((current) => button.setAttribute('aria-pressed', String(current === tool)));
    return { button, edits: TOOLS[tool].edits };
  });
  const image = toolButton('Image', 'i', ImageIcon);
  image.addEventListener('click', onPickImage);
  bench.editable.watch((editable) => {
    for (const { button, edits } of buttons) button.disabled = edits && !editable;
    image.disabled = !editable;
    if (!editable && TOOLS[bench.tool.value].edits) bench.tool.value = 'select';
  });
  return toolbar({ label: 'Board tools', className: 'tool-bar' }, ...buttons.map(({ button }) => button), image);
}

function toolButton(label: string, key: string, node: IconNode): HTMLButtonElement {
  const shortcut = key.toUpperCase();
  return element(
    'button',
    { class: 'icon-button', type: 'button', title: `${label} (${shortcut})`, 'aria-label': label, 'aria-keyshortcuts': shortcut },
    icon(node),
  );
}

interface Choice {
  readonly tool: ToolName;
  readonly label: string;
  readonly node: IconNode;
}

const CHOICES: readonly Choice[] = [
  { tool: 'select', label: 'Select', node: MousePointer2 },
  { tool: 'hand', label: 'Move the view', node: Hand },
  { tool: 'pen', label: 'Pen', node: PenLine },
  { tool: 'rectangle', label: 'Rectangle', node: Square },
  { tool: 'ellipse', label: 'Ellipse', node: Circle },
  { tool: 'line', label: 'Line', node: Minus },
  { tool: 'arrow', label: 'Arrow', node: ArrowUpRight },
  { tool: 'text', label: 'Text', node: Type },
  { tool: 'note', label: 'Sticky note', node: StickyNote },
  { tool: 'eraser', label: 'Eraser', node: Eraser },
];
