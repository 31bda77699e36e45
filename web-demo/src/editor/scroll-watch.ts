/** Tells, at most every 100 ms, that something was scrolled, and whether a person did it or the page itself. */

export type ScrollCause = 'person' | 'followed';

export class ScrollWatch {
  #cause: ScrollCause = 'person';
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(scrollers: readonly HTMLElement[], onScroll: (cause: ScrollCause) => void) {
    for (const scroller of scrollers) {
      for (const touch of ['wheel', 'pointerdown', 'touchstart', 'keydown']) {
        scroller.addEventListener(touch, () => (this.#cause = 'person'), { passive: true, capture: true });
      }
      const told = (): void => {
        this.#timer ??= setTimeout(() => {
          this.#timer = undefined;
          onScroll(this.#cause);
        }, EVERY_MS);
      };
      scroller.addEventListener('scroll', told, { passive: true });
    }
  }

  /** To be called before the page scrolls by itself: until a person touches it, its scrolling is not theirs. */
  followed(): void {
    this.#cause = 'followed';
  }
}

const EVERY_MS = 100;
