/** The style of what is selected, or of what the tool in hand draws, and what can be done with a selection. */

import { ArrowDown, ArrowDownToLine, ArrowUp, ArrowUpToLine, Copy, Trash2, type IconNode } from 'lucide';
import { element } from '../../dom';
import { dropDown } from '../../parts/drop-down';
import { icon } from '../../parts/icons';
import { toolbar } from '../../parts/toolbar';
import type { Watched } from '../../watched';
import { deleteSelection, duplicateSelection, restack, restyle } from '../actions';
import { COLOUR_NAMES, colourOf, type Paper } from '../model/palette';
import type { ShapeType } from '../model/shape';
import { DASHES, FILLS, FONT_SIZES, STROKES, styledFields, styleOf, type ShapeStyle } from '../style';
import type { ToolName, Workbench } from '../workbench';
import { choiceGroup, type ChoiceGroup } from './choice-group';
import { colourSample, dashSample, fillSample, fontSample, strokeSample } from './style-samples';

export function styleBar(bench: Workbench, paper: Watched<Paper>): { readonly element: HTMLElement; readonly draw: () => void } {
  const groups: readonly Group[] = [
    group('Colour', 'colour', COLOUR_NAMES, (name) => colourSample(name), bench),
    group('Fill', 'fill', FILLS, fillSample, bench),
    group('Line width', 'stroke', STROKES, strokeSample, bench),
    group('Line style', 'dash', DASHES, dashSample, bench),
    group('Text size', 'fontSize', FONT_SIZES, fontSample, bench),
  ];
  const actions = actionButtons(bench);
  const bar = toolbar({ label: 'Style and arrangement', className: 'style-bar' }, ...groups.map(({ holder }) => holder), ...actions);
  paper.watch((now) => {
    for (const name of COLOUR_NAMES) bar.style.setProperty(`--colour-${name}`, colourOf({ kind: 'strong', colour: name }, now));
  });
  const draw = (): void => {
    const shown = shownStyle(bench);
    bar.hidden = !bench.editable.value || Object.keys(shown).length + bench.selection.value.size === 0;
    for (const { field, holder, show } of groups) {
      holder.hidden = !(field in shown);
      if (field in shown) show(shown[field]);
    }
    for (const button of actions) button.hidden = bench.selection.value.size === 0;
  };
  bench.style.watch(draw);
  bench.tool.watch(draw);
  bench.editable.watch(draw);
  return { element: bar, draw };
}

/** What the selection has in common by field; where its shapes differ, the value is undefined. */
function shownStyle(bench: Workbench): Partial<Record<keyof ShapeStyle, unknown>> {
  const shapes = bench.selected;
  if (shapes.length === 0) {
    const type = DRAWN_BY[bench.tool.value];
    if (type === undefined) return {};
    const fields = styledFields(type, bench.style.value);
    const { colour, fill, dash, fontSize } = fields;
    return definedOnly({ colour, fill, dash, fontSize, stroke: fields.stroke === undefined ? undefined : bench.style.value.stroke });
  }
  const shown: Partial<Record<keyof ShapeStyle, unknown>> = {};
  for (const { look } of shapes) {
    for (const [field, value] of Object.entries(styleOf(look)) as [keyof ShapeStyle, unknown][]) {
      shown[field] = field in shown && shown[field] !== value ? undefined : value;
    }
  }
  return shown;
}

function definedOnly(fields: Partial<Record<keyof ShapeStyle, unknown>>): Partial<Record<keyof ShapeStyle, unknown>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

interface Group {
  readonly field: keyof ShapeStyle;
  readonly holder: HTMLElement;
  readonly show: (value: unknown) => void;
}

function group<Value extends string | number>(
  label: string,
  field: 'colour' | 'fill' | 'stroke' | 'dash' | 'fontSize',
  values: readonly Value[],
  sample: (value: Value) => Node,
  bench: Workbench,
): Group {
  const choices: ChoiceGroup = choiceGroup({
    label,
    values: values.map((value) => ({ value: String(value), label: labelOf(field, value), sample: sample(value) })),
    onChoose: (chosen) => {
      const value = values.find((each) => String(each) === chosen);
      if (value !== undefined) restyle(bench, { [field]: value });
    },
  });
  const now = element('span', { class: 'sample-now' });
  const summary = element('summary', { class: 'icon-button', title: label, 'aria-label': label }, now);
  const { element: holder } = dropDown({ className: 'style-choice', summary, panel: element('div', { class: 'menu-panel' }, choices.element) });
  return {
    field,
    holder,
    show: (value) => {
      choices.show(value === undefined ? undefined : String(value));
      const known = values.find((each) => each === value);
      now.replaceChildren(known === undefined ? element('span', { class: 'sample-mixed' }) : sample(known));
      summary.setAttribute('aria-label', known === undefined ? label : `${label}: ${labelOf(field, known)}`);
    },
  };
}

function labelOf(field: string, value: string | number): string {
  if (field === 'fontSize') return `${value} pixels`;
  if (field === 'stroke') return STROKE_LABELS[STROKES.findIndex((stroke) => stroke === value)] ?? String(value);
  if (value === 'none') return 'No fill';
  return String(value).charAt(0).toUpperCase() + String(value).slice(1);
}

function actionButtons(bench: Workbench): readonly HTMLButtonElement[] {
  const button = (label: string, key: string, node: IconNode, act: () => void): HTMLButtonElement => {
    const made = element('button', { class: 'icon-button', type: 'button', title: `${label} (${key})`, 'aria-label': label }, icon(node));
    made.addEventListener('click', act);
    return made;
  };
  return [
    button('Bring to front', 'Ctrl+Shift+]', ArrowUpToLine, () => restack(bench, 'front')),
    button('Bring forward', 'Ctrl+]', ArrowUp, () => restack(bench, 'forward')),
    button('Send backward', 'Ctrl+[', ArrowDown, () => restack(bench, 'backward')),
    button('Send to back', 'Ctrl+Shift+[', ArrowDownToLine, () => restack(bench, 'back')),
    button('Duplicate', 'Ctrl+D', Copy, () => duplicateSelection(bench)),
    button('Delete', 'Del', Trash2, () => deleteSelection(bench)),
  ];
}

const DRAWN_BY: Readonly<Partial<Record<ToolName, ShapeType>>> = {
  pen: 'pen',
  rectangle: 'rectangle',
  ellipse: 'ellipse',
  line: 'line',
  arrow: 'arrow',
  text: 'text',
  note: 'note',
};
const STROKE_LABELS = ['Thin', 'Medium', 'Thick', 'Very thick'];
