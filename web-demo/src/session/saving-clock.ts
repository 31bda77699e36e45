/** Runs the saving machine: gives it the time, asks the server for it, and publishes its state. */

import { Watched } from '../watched';
import { SavingMachine, type SavingFacts, type SavingState, type SavingStep } from './saving';
import { askReadiness } from './server-readiness';

export class SavingClock {
  readonly state = new Watched<SavingState>({ kind: 'loading' });
  readonly #machine = new SavingMachine();
  readonly #resend: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(resend: () => void) {
    this.#resend = resend;
  }

  learn(facts: SavingFacts): void {
    this.#machine.learn(facts, performance.now());
    this.#step();
  }

  /** One of our updates came back. */
  progress(): void {
    this.#machine.progress(performance.now());
  }

  #step(): void {
    clearTimeout(this.#timer);
    const step = this.#machine.step(performance.now());
    if (!sameState(step.state, this.state.value)) this.state.value = step.state;
    if (step.wakeAfter !== undefined) this.#timer = setTimeout(() => this.#step(), step.wakeAfter);
    this.#carryOut(step.request);
  }

  #carryOut(request: SavingStep['request']): void {
    if (request === 'resend') this.#resend();
    if (request === 'readiness') {
      void askReadiness().then((answer) => {
        this.#machine.readiness(answer, performance.now());
        this.#step();
      });
    }
  }
}

function sameState(a: SavingState, b: SavingState): boolean {
  if (a.kind !== b.kind) return false;
  return a.kind !== 'stuck' || b.kind !== 'stuck' || a.serverCannotSave === b.serverCannotSave;
}
