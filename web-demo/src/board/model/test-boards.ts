/** Boards of several people for tests: documents that exchange updates when told. */

import * as Y from 'yjs';
import { BoardDocument } from './board-document';
import type { Shape, ShapeId } from './shape';
import type { PlainFields } from './stored-fields';

export interface TestBoard {
  readonly doc: Y.Doc;
  readonly board: BoardDocument;
}

export function testBoard(clientId: number): TestBoard {
  const doc = new Y.Doc();
  doc.clientID = clientId;
  const measure = (text: string, fontSize: number): { width: number; height: number } => ({ width: text.length * fontSize * 0.5, height: fontSize * 1.3 });
  return { doc, board: new BoardDocument(doc.getMap('board'), measure) };
}

/** Brings all documents to the same state. */
export function exchange(...boards: readonly TestBoard[]): void {
  for (const from of boards) {
    for (const to of boards) {
      if (to !== from) Y.applyUpdate(to.doc, Y.encodeStateAsUpdate(from.doc, Y.encodeStateVector(to.doc)), 'exchange');
    }
  }
}

export function addRectangle({ board }: TestBoard, x = 0, y = 0): ShapeId {
  let id = '';
  board.edit((gesture) => {
    id = gesture.create({ fields: { type: 'rectangle', position: [x, y], size: [100, 50] }, text: '' });
  });
  return id;
}

export function change({ board }: TestBoard, id: ShapeId, fields: PlainFields): void {
  board.edit((gesture) => gesture.set(id, fields));
}

/** What somebody sees, for comparing. */
export function seen({ board }: TestBoard): readonly Shape[] {
  return board.stack.map((shape) => ({ ...shape, look: { ...shape.look } }));
}
