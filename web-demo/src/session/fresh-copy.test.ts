import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { freshCopy } from './fresh-copy';

function example(): Y.Doc {
  const doc = new Y.Doc();
  const text = doc.getText('text');
  text.insert(0, 'Hello world');
  text.format(0, 5, { bold: true });
  text.delete(5, 1);
  const note = new Y.Map<unknown>();
  doc.getMap('board').set('note', note);
  note.set('position', [1, 2]);
  note.set('text', new Y.Text('inside'));
  note.set('points', Y.Array.from([1, 2, 3]));
  note.set('bytes', new Uint8Array([9, 8]));
  note.set('nested', new Y.Map([['deep', new Y.Text('deeper')]]));
  doc.getMap('board').set('plain', { a: [true, null] });
  return doc;
}

test('a copy has the same content', () => {
  const source = example();
  const copy = freshCopy(source);
  expect(copy.getText('text').toDelta()).toEqual(source.getText('text').toDelta());
  expect(copy.getMap('board').toJSON()).toEqual(source.getMap('board').toJSON());
  const note = copy.getMap('board').get('note') as Y.Map<unknown>;
  expect(note.get('text')).toBeInstanceOf(Y.Text);
  expect(note.get('points')).toBeInstanceOf(Y.Array);
  expect(note.get('bytes')).toEqual(new Uint8Array([9, 8]));
  expect((note.get('nested') as Y.Map<Y.Text>).get('deep')?.toString()).toBe('deeper');
});

test('a copy shares no client id and no deletion with its source', () => {
  const source = example();
  const copy = freshCopy(source);
  const shared = [...copy.store.clients.keys()].filter((client) => source.store.clients.has(client));
  expect(shared).toEqual([]);
  expect(Y.createDeleteSetFromStructStore(copy.store).clients.size).toBe(0);
});

test('what cannot stand in two documents is left out', () => {
  const source = example();
  source.getMap('board').set('document', new Y.Doc());
  source.getMap('board').set('xml', new Y.XmlElement('p'));
  expect(freshCopy(source).getMap('board').has('document')).toBe(false);
  expect([...freshCopy(source).getMap('board').keys()].sort()).toEqual(['note', 'plain']);
});

test('an empty document has an empty copy', () => {
  expect(freshCopy(new Y.Doc()).store.clients.size).toBe(0);
});
