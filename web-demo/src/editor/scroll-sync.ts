/**
 * Keeps the source and its preview at the same place of the text.
 *
 * The side that a person last touched leads and the other follows. A side that follows is never followed, so the two
 * cannot chase each other, whatever their heights do.
 */

export interface ScrolledSide {
  /** What scrolls. */
  readonly scroller: HTMLElement;
  /** What is in it; its height is an estimate until it has been seen. */
  readonly content: HTMLElement;
  /** The position in the text at the upper edge, with a fraction for a line or block that is seen in part. */
  readonly topPosition: number;
  scrollToPosition(position: number): void;
}

export class ScrollSync {
  /** Whether both sides are in sight. */
  active = false;
  #leader: ScrolledSide;
  readonly #sides: readonly ScrolledSide[];
  #scheduled = false;

  constructor(first: ScrolledSide, second: ScrolledSide) {
    this.#leader = first;
    this.#sides = [first, second];
    const heights = new ResizeObserver(() => this.align());
    for (const side of this.#sides) {
      for (const touch of ['wheel', 'pointerdown', 'touchstart', 'keydown', 'focusin']) {
        side.scroller.addEventListener(touch, () => (this.#leader = side), { passive: true, capture: true });
      }
      heights.observe(side.content);
      side.scroller.addEventListener('scroll', () => side === this.#leader && this.align(), { passive: true });
    }
  }

  /** Brings the following side to where the leading one is, once in the next frame. */
  align(): void {
    if (!this.active || this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      if (!this.active) return;
      const position = this.#leader.topPosition;
      for (const side of this.#sides) if (side !== this.#leader) side.scrollToPosition(position);
    });
  }
}
