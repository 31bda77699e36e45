import { expect, test } from 'vitest';
import { SavingMachine, type SavingFacts } from './saving';

const IN_STEP: SavingFacts = { connection: 'connected', loaded: true, access: 'edit', localCopy: 'keeping', confirmed: true };
const UNCONFIRMED: SavingFacts = { ...IN_STEP, confirmed: false };

function machine(facts: SavingFacts, now = 0): SavingMachine {
  const created = new SavingMachine();
  created.learn(facts, now);
  return created;
}

test('saved is said only while connected, loaded, allowed to edit and confirmed', () => {
  expect(machine(IN_STEP).step(0).state.kind).toBe('saved');
  const others: readonly [Partial<SavingFacts>, string][] = [
    [{ connection: 'connecting' }, 'kept'],
    [{ connection: 'reconnecting' }, 'kept'],
    [{ connection: 'reconnecting', localCopy: 'failed' }, 'tab-only'],
    [{ connection: 'reconnecting', localCopy: 'opening' }, 'tab-only'],
    [{ connection: 'reconnecting', localCopy: 'removed' }, 'tab-only'],
    [{ connection: 'closed' }, 'closed'],
    [{ loaded: false }, 'loading'],
    [{ access: 'read-only' }, 'read-only'],
    [{ confirmed: false }, 'saving'],
  ];
  for (const [difference, kind] of others) expect(machine({ ...IN_STEP, ...difference }).step(0).state.kind).toBe(kind);
});

test('saved comes only after a moment without new edits, so that it does not flicker', () => {
  const saving = machine(UNCONFIRMED);
  saving.learn(IN_STEP, 20);
  expect(saving.step(20)).toMatchObject({ state: { kind: 'saving' }, wakeAfter: 400 });
  expect(saving.step(419).state.kind).toBe('saving');
  expect(saving.step(420).state.kind).toBe('saved');
});

test('a server that confirms nothing for 4 s is asked, and what it says is told', () => {
  const saving = machine(UNCONFIRMED);
  expect(saving.step(0)).toMatchObject({ state: { kind: 'saving' }, wakeAfter: 4000 });
  expect(saving.step(4000)).toEqual({ state: { kind: 'stuck', serverCannotSave: false }, request: 'readiness', wakeAfter: 5000 });
  saving.readiness('not-ready', 4100);
  expect(saving.step(4100)).toMatchObject({ state: { kind: 'stuck', serverCannotSave: true }, request: undefined });
  expect(saving.step(9100).request).toBe('readiness');
});

test('new edits do not put off the moment at which a server counts as stuck', () => {
  const saving = machine(UNCONFIRMED);
  for (let now = 500; now < 4000; now += 500) saving.learn({ ...UNCONFIRMED }, now);
  expect(saving.step(4000).state.kind).toBe('stuck');
});

test('one confirmation is progress: the others are waited for anew', () => {
  const saving = machine(UNCONFIRMED);
  saving.step(4000);
  saving.readiness('not-ready', 4000);
  saving.progress(4500);
  expect(saving.step(4500).state).toEqual({ kind: 'saving' });
  expect(saving.step(8499).state.kind).toBe('saving');
  expect(saving.step(8500).state).toEqual({ kind: 'stuck', serverCannotSave: false });
});

/** Steps through time as a timer would, answers each question, and returns when everything was sent again. */
function resends(saving: SavingMachine, answer: 'ready' | 'not-ready' | 'unreachable', untilMs: number): number[] {
  const times: number[] = [];
  for (let now = 0; now <= untilMs; now += 100) {
    const { request } = saving.step(now);
    if (request === 'readiness') saving.readiness(answer, now);
    if (request === 'resend') times.push(now);
  }
  return times;
}

test('to a server that says it can save, everything is sent again after 10 s, and then ever more rarely', () => {
  expect(resends(machine(UNCONFIRMED), 'ready', 400_000)).toEqual([10_000, 30_000, 70_000, 150_000, 230_000, 310_000, 390_000]);
});

test('to a server that cannot save or does not answer, nothing is sent again', () => {
  expect(resends(machine(UNCONFIRMED), 'not-ready', 100_000)).toEqual([]);
  expect(resends(machine(UNCONFIRMED), 'unreachable', 100_000)).toEqual([]);
});

test('a lost connection ends the waiting: the next one starts anew', () => {
  const saving = machine(UNCONFIRMED);
  saving.step(4000);
  saving.readiness('not-ready', 4000);
  saving.learn({ ...UNCONFIRMED, connection: 'reconnecting' }, 5000);
  expect(saving.step(5000).state.kind).toBe('kept');
  saving.learn(UNCONFIRMED, 6000);
  expect(saving.step(6000).state.kind).toBe('saving');
  expect(saving.step(9999).state.kind).toBe('saving');
});
