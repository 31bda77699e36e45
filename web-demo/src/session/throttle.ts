/** Calls something at once and then at most once an interval, the last time always: for what only its newest state matters. */

export class Throttle {
  readonly #intervalMs: number;
  readonly #call: () => void;
  #lastCall = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(intervalMs: number, call: () => void) {
    this.#intervalMs = intervalMs;
    this.#call = call;
  }

  /** Something has changed. */
  request(): void {
    if (this.#timer !== undefined) return;
    const wait = this.#lastCall + this.#intervalMs - performance.now();
    if (wait <= 0) this.now();
    else this.#timer = setTimeout(() => this.now(), wait);
  }

  /** Calls without waiting; what was waiting is done with it. */
  now(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#lastCall = performance.now();
    this.#call();
  }
}
