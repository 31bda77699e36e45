/**
 * Where our edits are, in the one word that the page may say about them.
 *
 * A pure state machine: it is told facts and the time, and answers with the state, with what to ask for, and with when to be
 * asked again. The promise: `saved` only while the connection is in step and the server has confirmed every edit.
 */

import type { Access } from './access';
import type { ConnectionState } from './connection-state';
import type { LocalCopyState } from './local-copy';

export type SavingState =
  /** Nothing to show yet. */
  | { readonly kind: 'loading' }
  /** Every edit is on the server's disk. */
  | { readonly kind: 'saved' }
  /** Connected; the server has not confirmed everything yet. */
  | { readonly kind: 'saving' }
  /** Connected, and the server has confirmed nothing for a while. */
  | { readonly kind: 'stuck'; readonly serverCannotSave: boolean }
  /** Not connected; edits are in this browser's copy. */
  | { readonly kind: 'kept' }
  /** Not connected, and there is no copy: edits live as long as the tab. */
  | { readonly kind: 'tab-only' }
  | { readonly kind: 'read-only' }
  | { readonly kind: 'closed' };

export interface SavingFacts {
  readonly connection: ConnectionState['kind'];
  readonly loaded: boolean;
  readonly access: Access;
  readonly localCopy: LocalCopyState;
  /** Whether the server has confirmed every edit. */
  readonly confirmed: boolean;
}

/** What the server says of itself. */
export type Readiness = 'ready' | 'not-ready' | 'unreachable';

export interface SavingStep {
  readonly state: SavingState;
  /** Ask the server whether it can save; or send everything again. */
  readonly request: 'readiness' | 'resend' | undefined;
  /** When to step again though nothing happens, in milliseconds from now. */
  readonly wakeAfter: number | undefined;
}

export class SavingMachine {
  #facts: SavingFacts = { connection: 'connecting', loaded: false, access: 'edit', localCopy: 'opening', confirmed: true };
  /** Since when the server owes a confirmation, or the time of the last one; undefined when it owes none. */
  #waitingSince: number | undefined;
  #confirmedAt = Number.NEGATIVE_INFINITY;
  #serverCannotSave = false;
  #lastReadiness: Readiness | undefined;
  #askAt = Number.POSITIVE_INFINITY;
  #resendAt = Number.POSITIVE_INFINITY;
  #resendPause = RESEND_AFTER_MS;

  learn(facts: SavingFacts, now: number): void {
    this.#facts = facts;
    const waits = facts.connection === 'connected' && !facts.confirmed && facts.access === 'edit';
    if (waits && this.#waitingSince === undefined) this.#wait(now);
    if (!waits && this.#waitingSince !== undefined) {
      this.#waitingSince = undefined;
      this.#serverCannotSave = false;
      if (facts.confirmed) this.#confirmedAt = now;
    }
  }

  /** One of our updates came back. */
  progress(now: number): void {
    if (this.#waitingSince === undefined) return;
    this.#serverCannotSave = false;
    this.#wait(now);
  }

  readiness(answer: Readiness, now: number): void {
    if (this.#waitingSince === undefined) return;
    this.#lastReadiness = answer;
    this.#serverCannotSave = answer === 'not-ready';
    this.#askAt = now + ASK_AGAIN_AFTER_MS;
  }

  step(now: number): SavingStep {
    const { connection, loaded, access, localCopy } = this.#facts;
    if (connection === 'closed') return quiet({ kind: 'closed' });
    if (!loaded) return quiet({ kind: 'loading' });
    if (access === 'read-only') return quiet({ kind: 'read-only' });
    if (connection !== 'connected') return quiet({ kind: localCopy === 'keeping' ? 'kept' : 'tab-only' });
    if (this.#waitingSince !== undefined) return this.#waitingStep(now, this.#waitingSince);
    // While somebody types, confirmations come between the keys: the word would flicker.
    const steadyIn = this.#confirmedAt + STEADY_AFTER_MS - now;
    if (steadyIn > 0) return { state: { kind: 'saving' }, request: undefined, wakeAfter: steadyIn };
    return quiet({ kind: 'saved' });
  }

  #wait(now: number): void {
    this.#waitingSince = now;
    this.#lastReadiness = undefined;
    this.#askAt = now + STUCK_AFTER_MS;
    this.#resendAt = now + RESEND_AFTER_MS;
    this.#resendPause = RESEND_AFTER_MS;
  }

  #waitingStep(now: number, since: number): SavingStep {
    if (now < since + STUCK_AFTER_MS) {
      return { state: { kind: 'saving' }, request: undefined, wakeAfter: since + STUCK_AFTER_MS - now };
    }
    const state: SavingState = { kind: 'stuck', serverCannotSave: this.#serverCannotSave };
    if (now >= this.#askAt) {
      this.#askAt = now + ASK_AGAIN_AFTER_MS;
      return { state, request: 'readiness', wakeAfter: ASK_AGAIN_AFTER_MS };
    }
    // Only to a server that says it can save: to another it would be one more burden of the same.
    if (now >= this.#resendAt && this.#lastReadiness === 'ready') {
      this.#resendPause = Math.min(this.#resendPause * 2, LONGEST_RESEND_PAUSE_MS);
      this.#resendAt = now + this.#resendPause;
      return { state, request: 'resend', wakeAfter: this.#askAt - now };
    }
    return { state, request: undefined, wakeAfter: this.#askAt - now };
  }
}

function quiet(state: SavingState): SavingStep {
  return { state, request: undefined, wakeAfter: undefined };
}

const STUCK_AFTER_MS = 4000;
const ASK_AGAIN_AFTER_MS = 5000;
const RESEND_AFTER_MS = 10_000;
const LONGEST_RESEND_PAUSE_MS = 80_000;
const STEADY_AFTER_MS = 400;
