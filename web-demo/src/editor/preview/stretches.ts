/**
 * The preview's blocks in stretches of some dozens.
 *
 * The browser leaves out stretches that are not in sight (`content-visibility`), which it has to check for each of them in
 * each frame: thousands of blocks would be too many to check, and one stretch of all of them too much to lay out.
 */

import { element } from '../../dom';

export interface SizedBlock {
  readonly element: HTMLElement;
  /** In pixels, for as long as the block has not been in sight. */
  readonly estimatedHeight: number;
}

/** Puts blocks behind `previous`, or first. */
export function insertBlocks(content: HTMLElement, previous: HTMLElement | undefined, blocks: readonly SizedBlock[]): void {
  if (blocks.length === 0) return;
  const stretch = previous?.parentElement ?? content.firstElementChild;
  if (stretch !== null && stretch.childElementCount + blocks.length <= LONGEST) {
    const elements = blocks.map((block) => block.element);
    if (previous === undefined) stretch.prepend(...elements);
    else previous.after(...elements);
    return;
  }
  const added: HTMLElement[] = [];
  for (let from = 0; from < blocks.length; from += USUAL) added.push(stretchOf(blocks.slice(from, from + USUAL)));
  if (previous === undefined) {
    content.prepend(...added);
    return;
  }
  const behind = followersOf(previous);
  if (behind.length > 0) added.push(element('div', { class: 'stretch' }, ...behind));
  stretch?.after(...added);
}

export function removeBlocks(blocks: readonly SizedBlock[]): void {
  for (const { element: gone } of blocks) {
    const stretch = gone.parentElement;
    gone.remove();
    if (stretch?.childElementCount === 0) stretch.remove();
  }
}

/** The upper edge of a block within what scrolls. */
export function topOf(block: HTMLElement): number {
  return (block.parentElement?.offsetTop ?? 0) + block.offsetTop;
}

/** Whether a block begins at or above `top`. Looks into no stretch that is not there. */
export function beginsAbove(block: HTMLElement, top: number): boolean {
  const stretch = block.parentElement;
  if (stretch === null || stretch.offsetTop > top) return false;
  return stretch.offsetTop + stretch.offsetHeight <= top || topOf(block) <= top;
}

function stretchOf(blocks: readonly SizedBlock[]): HTMLElement {
  const stretch = element('div', { class: 'stretch' }, ...blocks.map((block) => block.element));
  const height = blocks.reduce((sum, block) => sum + block.estimatedHeight, 0);
  stretch.style.setProperty('contain-intrinsic-block-size', `auto ${height}px`);
  return stretch;
}

function followersOf(block: HTMLElement): readonly Element[] {
  const all = [...(block.parentElement?.children ?? [])];
  return all.slice(all.indexOf(block) + 1);
}

const USUAL = 48;
const LONGEST = 96;
