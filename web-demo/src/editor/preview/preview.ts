/**
 * The text as it reads: a region of blocks that follows the edits without getting into the way of typing.
 *
 * Edits are gathered for a time that grows with what the last refresh took. A refresh parses only around them; drawing
 * starts with what is in sight and goes on in idle slices. A block that did not change keeps its nodes.
 */

import { Text, type ChangeSet } from '@codemirror/state';
import { element } from '../../dom';
import type { ScrolledSide } from '../scroll-sync';
import { blockAt, blockEdits, splitBlocks, startsOf, type Block, type BlockEdit, type ChangedRange } from './blocks';
import type { References } from './markdown';
import { renderBlock } from './render-block';
import { beginsAbove, insertBlocks, removeBlocks, topOf, type SizedBlock } from './stretches';

export interface PreviewOptions {
  /** A person ticked or unticked the task whose `[ ]` stands at this position. */
  readonly onToggleTask: (position: number) => void;
  readonly onRefresh: () => void;
}

export class Preview implements ScrolledSide {
  readonly scroller: HTMLElement;
  readonly content = element('div', { class: 'preview-content' });
  readonly #end = element('p', { class: 'preview-note', hidden: true });
  readonly #options: PreviewOptions;
  #doc = Text.empty;
  /** What the blocks do not show yet; undefined when they were not kept in step and are to be split anew. */
  #pending: ChangeSet | undefined;
  #whole = true;
  #blocks: DrawnBlock[] = [];
  #references: References = {};
  #undrawn = 0;
  #shown = false;
  #editable = false;
  #refreshTimer: ReturnType<typeof setTimeout> | undefined;
  #drawing = false;
  /** The block that drawing goes on from; undefined when it has to look where the person is. */
  #drawFrom: number | undefined;
  #lastCost = 0;

  constructor(options: PreviewOptions) {
    this.#options = options;
    this.scroller = element('section', { class: 'preview', 'aria-label': 'Preview', tabindex: '0' }, this.content, this.#end);
    this.content.addEventListener('click', (event) => this.#onClick(event));
    this.scroller.addEventListener('scroll', () => this.#onScroll(), { passive: true });
  }

  /** Only a preview that is shown costs anything. */
  set shown(shown: boolean) {
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#pending = undefined;
    if (shown) this.#refresh();
    else clearTimeout(this.#refreshTimer);
  }

  set editable(editable: boolean) {
    this.#editable = editable;
    for (const box of this.content.querySelectorAll('input')) box.disabled = !editable;
  }

  /** Takes an edit of the text, which is `doc` after it. */
  edited(changes: ChangeSet, doc: Text): void {
    this.#doc = doc;
    if (!this.#shown) return;
    this.#pending = this.#pending?.compose(changes) ?? changes;
    this.#refreshTimer ??= setTimeout(
      () => this.#refresh(),
      Math.min(Math.max(this.#lastCost * COST_FACTOR, SHORTEST_WAIT_MS), LONGEST_WAIT_MS),
    );
  }

  /** Where in the text the uppermost visible line is, with a fraction for a block that is seen in part. */
  get topPosition(): number {
    const index = this.#topIndex();
    const block = this.#blocks[index];
    if (block === undefined || this.scroller.scrollTop <= 0) return 0;
    const part = (this.scroller.scrollTop - topOf(block.element)) / Math.max(1, block.element.offsetHeight);
    const position = (startsOf(this.#blocks)[index] ?? 0) + Math.min(Math.max(part, 0), 1) * block.source.length;
    return this.#pending?.mapPos(Math.min(Math.floor(position), this.#pending.length)) ?? position;
  }

  scrollToPosition(position: number): void {
    const starts = startsOf(this.#blocks);
    const index = blockAt(starts, position);
    const block = this.#blocks[index];
    if (block === undefined) return;
    const part = (position - (starts[index] ?? 0)) / Math.max(1, block.source.length);
    const top = topOf(block.element) + Math.min(Math.max(part, 0), 1) * block.element.offsetHeight;
    this.scroller.scrollTop = position <= 0 ? 0 : top;
  }

  #refresh(): void {
    const started = performance.now();
    clearTimeout(this.#refreshTimer);
    this.#refreshTimer = undefined;
    const text = this.#doc.sliceString(0, MAX_LENGTH);
    const whole = this.#doc.length <= MAX_LENGTH;
    // Blocks of a text that was cut know nothing of what was behind.
    const changes = whole && this.#whole ? this.#pending : undefined;
    const edits = changes === undefined ? [this.#anew(text)] : blockEdits(this.#blocks, text, rangesOf(changes));
    this.#pending = undefined;
    this.#whole = whole;
    const references = edits.some((edit) => this.#touchesReferences(edit));
    for (const edit of edits.toReversed()) this.#apply(edit);
    if (references) this.#readReferences();
    this.#end.hidden = whole && this.#doc.length > 0;
    this.#end.textContent = whole ? 'Nothing is written yet.' : 'The preview ends here; the text goes on.';
    this.#drawFrom = undefined;
    this.#draw(started + REFRESH_BUDGET_MS);
    this.#lastCost = performance.now() - started;
    this.#options.onRefresh();
  }

  #anew(text: string): BlockEdit {
    return { start: 0, end: this.#blocks.length, blocks: splitBlocks(text) };
  }

  #touchesReferences({ start, end, blocks }: BlockEdit): boolean {
    return [...this.#blocks.slice(start, end), ...blocks].some((block) => block.references !== undefined);
  }

  /** Blocks that are the same at the ends of an edit stay; in between, new ones take over the elements of old ones. */
  #apply({ start, end, blocks }: BlockEdit): void {
    let [first, last] = [start, end];
    let [newFirst, newLast] = [0, blocks.length];
    while (first < last && newFirst < newLast && this.#blocks[first]?.source === blocks[newFirst]?.source) {
      first += 1;
      newFirst += 1;
    }
    while (first < last && newFirst < newLast && this.#blocks[last - 1]?.source === blocks[newLast - 1]?.source) {
      last -= 1;
      newLast -= 1;
    }
    const old = this.#blocks.slice(first, last);
    const fresh = blocks.slice(newFirst, newLast).map((block, at) => new DrawnBlock(block, old[at]?.element));
    removeBlocks(old.slice(fresh.length));
    insertBlocks(this.content, (old.at(-1) ?? this.#blocks[first - 1])?.element, fresh.slice(old.length));
    this.#undrawn += fresh.length - old.filter((block) => !block.drawn).length;
    this.#blocks = [...this.#blocks.slice(0, first), ...fresh, ...this.#blocks.slice(last)];
  }

  /** The first definition of a label counts. A change may concern whatever has a bracket. */
  #readReferences(): void {
    const references: References = {};
    for (const block of this.#blocks) {
      for (const [label, reference] of Object.entries(block.references ?? {})) references[label] ??= reference;
    }
    if (JSON.stringify(references) === JSON.stringify(this.#references)) return;
    this.#references = references;
    for (const block of this.#blocks) {
      if (!block.drawn || !block.source.includes('[')) continue;
      block.drawn = false;
      this.#undrawn += 1;
    }
  }

  /** Draws until `deadline`, at least one block, from the uppermost visible one on. */
  #draw(deadline: number): void {
    const count = this.#blocks.length;
    for (let at = this.#drawFrom ?? this.#topIndex(), left = count; left > 0 && this.#undrawn > 0; left -= 1, at += 1) {
      this.#drawFrom = (at + 1) % count;
      const block = this.#blocks[at % count];
      if (block === undefined || block.drawn) continue;
      block.draw(this.#references, this.#editable);
      this.#undrawn -= 1;
      if (performance.now() > deadline) break;
    }
    this.#drawSoon();
  }

  #onScroll(): void {
    this.#drawFrom = undefined;
    this.#drawSoon();
  }

  #drawSoon(): void {
    if (this.#drawing || this.#undrawn === 0) return;
    this.#drawing = true;
    whenIdle(() => {
      this.#drawing = false;
      if (this.#shown) this.#draw(performance.now() + SLICE_MS);
    });
  }

  /** The block at the upper edge: their elements stand one below the other. */
  #topIndex(): number {
    const top = this.scroller.scrollTop;
    let low = 0;
    let high = Math.max(0, this.#blocks.length - 1);
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      const block = this.#blocks[middle];
      if (block !== undefined && beginsAbove(block.element, top)) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The source decides whether a task is done; the box shows what was drawn from it. */
  #onClick(event: MouseEvent): void {
    const box = event.target;
    if (!(box instanceof HTMLInputElement)) return;
    event.preventDefault();
    const index = this.#blocks.findIndex((block) => block.element.contains(box));
    const start = startsOf(this.#blocks)[index];
    if (start === undefined || !this.#editable) return;
    const drawn = start + Number(box.dataset['offset']);
    const position = this.#pending?.mapPos(drawn, 1) ?? drawn;
    if (!/^\[[ xX]\]$/.test(this.#doc.sliceString(position, position + 3))) return;
    this.#options.onToggleTask(position);
    // After the browser has put the cancelled click back.
    queueMicrotask(() => this.#refresh());
  }
}

class DrawnBlock implements Block, SizedBlock {
  readonly source: string;
  readonly references: References | undefined;
  readonly element: HTMLElement;
  drawn = false;

  constructor({ source, references }: Block, replaced: HTMLElement | undefined) {
    this.source = source;
    this.references = references;
    this.element = replaced ?? element('div', { class: 'block', dir: 'auto' });
  }

  get estimatedHeight(): number {
    return Math.ceil(Math.max(this.source.split('\n').length, this.source.length / CHARACTERS_A_LINE)) * LINE_PX;
  }

  draw(references: References, editable: boolean): void {
    const focused = focusables(this.element).indexOf(document.activeElement);
    const nodes = renderBlock(this.source, references);
    this.element.replaceChildren(...nodes);
    this.element.classList.toggle('nothing', nodes.length === 0);
    this.drawn = true;
    if (!editable) for (const box of this.element.querySelectorAll('input')) box.disabled = true;
    const next = focusables(this.element)[focused];
    if (next instanceof HTMLElement) next.focus({ preventScroll: true });
  }
}

function focusables(block: Element): (Element | null)[] {
  return [...block.querySelectorAll('a, input, [tabindex]')];
}

function rangesOf(changes: ChangeSet): ChangedRange[] {
  const ranges: ChangedRange[] = [];
  changes.iterChangedRanges((fromA, toA, fromB, toB) => ranges.push({ fromA, toA, fromB, toB }));
  return ranges;
}

/** Safari has no idle callbacks; there the slices simply follow one another. */
function whenIdle(work: () => void): void {
  if (typeof requestIdleCallback === 'function') requestIdleCallback(work, { timeout: IDLE_WITHIN_MS });
  else setTimeout(work, SLICE_MS);
}

/** About 600 pages. */
const MAX_LENGTH = 2_000_000;
const SHORTEST_WAIT_MS = 60;
const LONGEST_WAIT_MS = 1000;
/** A refresh takes at most a ninth of the time. */
const COST_FACTOR = 8;
const REFRESH_BUDGET_MS = 8;
const SLICE_MS = 6;
const IDLE_WITHIN_MS = 150;
const CHARACTERS_A_LINE = 80;
const LINE_PX = 26;
