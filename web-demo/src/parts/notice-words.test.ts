import { expect, test } from 'vitest';
import type { SavingState } from '../session/saving';
import { badgeWords } from './badge-words';
import { closedWords, troubleWords, type NoticeFacts } from './notice-words';

const WELL: NoticeFacts = {
  connection: { kind: 'connected' },
  saving: { kind: 'saved' },
  access: 'edit',
  unsavable: false,
  hasContent: true,
  keepsCopy: true,
};

function closed(code: number, facts: Partial<NoticeFacts> = {}): NoticeFacts {
  return { ...WELL, connection: { kind: 'closed', code, reason: 'internals' }, saving: { kind: 'closed' }, ...facts };
}

test('nothing is said while all is well or a connection comes back by itself', () => {
  expect(closedWords(WELL)).toBeUndefined();
  expect(troubleWords(WELL)).toBeUndefined();
  expect(troubleWords({ ...WELL, connection: { kind: 'reconnecting', cause: 'lost' }, saving: { kind: 'kept' } })).toBeUndefined();
});

test('each final close has its own words, without the server’s', () => {
  const words = [4400, 4401, 4403, 4404, 4413, 4499].map((code) => closedWords(closed(code)));
  expect(new Set(words.map((word) => word?.heading)).size).toBe(6);
  for (const word of words) expect(JSON.stringify(word)).not.toMatch(/internals|44\d\d/);
});

test('content that cannot be saved is offered to be kept, and nothing is offered where there is none', () => {
  for (const code of [4400, 4404, 4413]) expect(closedWords(closed(code))?.offers).toEqual(expect.arrayContaining(['keep', 'discard']));
  for (const code of [4400, 4401, 4403, 4404, 4413]) expect(closedWords(closed(code, { hasContent: false }))?.offers).not.toContain('keep');
});

test('a browser that keeps no copy is never said to keep one', () => {
  const facts = { keepsCopy: false };
  const stuck: SavingState = { kind: 'stuck', serverCannotSave: true };
  const all = [closedWords(closed(4413, facts)), closedWords(closed(4400, facts)), troubleWords({ ...WELL, ...facts, saving: stuck })];
  for (const words of all) {
    expect(words?.advice).not.toMatch(/kept/);
    expect(words?.advice).toMatch(/keep (this|it) /i);
  }
});

test('a full disk of the server is said, and that work goes on', () => {
  const words = troubleWords({ ...WELL, saving: { kind: 'stuck', serverCannotSave: true } });
  expect(words?.heading).toBe('The server cannot save right now');
  expect(words?.advice).toBe('Everything is kept here and will be saved when it can. You can write on.');
});

test('a reader is told so, and of changes that cannot be saved', () => {
  expect(troubleWords({ ...WELL, access: 'read-only' })?.offers).toEqual([]);
  expect(troubleWords({ ...WELL, access: 'read-only', unsavable: true })?.offers).toEqual(['keep', 'discard']);
});

test('the badge says saved in one state only', () => {
  const states: readonly SavingState[] = [
    { kind: 'loading' }, { kind: 'saving' }, { kind: 'stuck', serverCannotSave: true }, { kind: 'stuck', serverCannotSave: false },
    { kind: 'kept' }, { kind: 'tab-only' }, { kind: 'read-only' }, { kind: 'closed' },
  ];
  expect(badgeWords({ kind: 'connected' }, { kind: 'saved' }).label).toBe('All changes saved');
  for (const saving of states) expect(badgeWords({ kind: 'connected' }, saving).label).not.toBe('All changes saved');
});

test('the badge names why there is no connection and where the changes are', () => {
  expect(badgeWords({ kind: 'reconnecting', cause: 'lost' }, { kind: 'kept' })).toMatchObject({ label: 'Offline', advice: '— your changes are kept in this browser' });
  expect(badgeWords({ kind: 'reconnecting', cause: 'restarting' }, { kind: 'tab-only' })).toMatchObject({ label: 'The server is restarting', advice: '— your changes are only in this tab' });
  expect(badgeWords({ kind: 'reconnecting', cause: 'full' }, { kind: 'kept' }).label).toBe('The server is full');
});
