/** A value that tells its watchers when it changes: what the parts of a page are drawn from. */

export class Watched<Value> {
  #value: Value;
  readonly #watchers = new Set<(value: Value) => void>();

  constructor(initial: Value) {
    this.#value = initial;
  }

  get value(): Value {
    return this.#value;
  }

  set value(next: Value) {
    if (Object.is(next, this.#value)) return;
    this.#value = next;
    for (const watcher of this.#watchers) watcher(next);
  }

  /** Calls `once` after the next change, and never again. */
  next(once: (value: Value) => void): void {
    const watcher = (value: Value): void => {
      this.#watchers.delete(watcher);
      once(value);
    };
    this.#watchers.add(watcher);
  }

  /** Calls `watcher` with the value now and after each change. */
  watch(watcher: (value: Value) => void): void {
    this.#watchers.add(watcher);
    watcher(this.#value);
  }
}
