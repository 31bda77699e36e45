import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { bringsBlocks, isEmptyUpdate, Unacknowledged } from './unacknowledged';

/** A document, the server's copy of it, and what has been sent. */
function desk(): { doc: Y.Doc; edits: Unacknowledged; sent: Uint8Array[]; type: (text: string, isOpen?: boolean) => void } {
  const doc = new Y.Doc();
  const edits = new Unacknowledged();
  const sent: Uint8Array[] = [];
  let open = true;
  doc.on('update', (update: Uint8Array) => {
    edits.edited(update, open);
    if (open) sent.push(update);
  });
  return {
    doc,
    edits,
    sent,
    type: (text, isOpen = true) => {
      open = isOpen;
      doc.getText('text').insert(doc.getText('text').length, text);
    },
  };
}

function textOf(...updates: readonly Uint8Array[]): string {
  const doc = new Y.Doc();
  for (const update of updates) Y.applyUpdate(doc, update);
  return doc.getText('text').toString();
}

const NOTHING = Y.encodeStateVector(new Y.Doc());

test('an edit waits until the same bytes come back', () => {
  const { edits, sent, type } = desk();
  type('a');
  type('b');
  expect(edits.isEmpty).toBe(false);
  const [first = NOTHING, second = NOTHING] = sent;
  expect(edits.confirm(second.slice())).toBe(true);
  expect(edits.isEmpty).toBe(false);
  expect(edits.confirm(first.slice())).toBe(true);
  expect(edits.isEmpty).toBe(true);
});

test('an update of somebody else confirms nothing', () => {
  const { edits, type } = desk();
  type('a');
  const other = desk();
  other.type('a');
  expect(edits.confirm(other.sent[0] ?? NOTHING)).toBe(false);
  expect(edits.isEmpty).toBe(false);
});

test('of two updates with the same bytes, each needs its own confirmation', () => {
  const edits = new Unacknowledged();
  const update = new Uint8Array([0, 1, 7, 1, 0, 1]);
  edits.edited(update, true);
  edits.edited(update.slice(), true);
  expect(edits.confirm(update)).toBe(true);
  expect(edits.isEmpty).toBe(false);
  expect(edits.confirm(update)).toBe(true);
  expect(edits.confirm(update)).toBe(false);
  expect(edits.isEmpty).toBe(true);
});

test('an update without content waits for nothing', () => {
  const edits = new Unacknowledged();
  edits.edited(new Uint8Array([0, 0]), true);
  expect(isEmptyUpdate(edits.answer(new Y.Doc(), NOTHING))).toBe(true);
  expect(edits.isEmpty).toBe(true);
});

test('an edit that no connection could carry is in the next answer', () => {
  const { doc, edits, type } = desk();
  type('offline', false);
  expect(edits.isEmpty).toBe(false);
  const answer = edits.answer(doc, NOTHING);
  expect(textOf(answer)).toBe('offline');
  expect(edits.isEmpty).toBe(false);
  edits.confirm(answer);
  expect(edits.isEmpty).toBe(true);
});

test('what was sent before the connection was lost is sent again, though the server’s state vector has it', () => {
  const { doc, edits, sent, type } = desk();
  type('before ');
  const known = sent[0] ?? NOTHING;
  edits.confirm(known);
  type('lost');
  edits.connectionLost();
  edits.connectionLost();
  const answer = edits.answer(doc, Y.encodeStateVector(doc));
  expect(textOf(known, answer)).toBe('before lost');
  expect(edits.isEmpty).toBe(false);
  edits.confirm(answer);
  expect(edits.isEmpty).toBe(true);
});

test('without anything unconfirmed the answer is the difference alone', () => {
  const { doc, edits, sent, type } = desk();
  type('known');
  edits.confirm(sent[0] ?? NOTHING);
  edits.connectionLost();
  expect(isEmptyUpdate(edits.answer(doc, Y.encodeStateVector(doc)))).toBe(true);
  expect(edits.isEmpty).toBe(true);
});

test('a copy that an earlier page left unconfirmed is sent whole', () => {
  const doc = new Y.Doc();
  doc.getText('text').insert(0, 'from yesterday');
  const edits = new Unacknowledged();
  edits.doubtEverything();
  expect(edits.isEmpty).toBe(false);
  expect(textOf(edits.answer(doc, Y.encodeStateVector(doc)))).toBe('from yesterday');
});

test('a resent document takes the place of all that was waiting', () => {
  const { doc, edits, type } = desk();
  type('one ');
  type('two');
  const whole = edits.resent(doc);
  expect(textOf(whole)).toBe('one two');
  expect(edits.confirm(whole)).toBe(true);
  expect(edits.isEmpty).toBe(true);
});

test('deletions alone bring no blocks', () => {
  const doc = new Y.Doc();
  doc.getText('text').insert(0, 'abc');
  doc.getText('text').delete(1, 1);
  expect(bringsBlocks(Y.encodeStateAsUpdate(doc, Y.encodeStateVector(doc)))).toBe(false);
  expect(bringsBlocks(Y.encodeStateAsUpdate(doc))).toBe(true);
});
