/**
 * The others' cursors and selections in the editor, and ours in awareness.
 *
 * The wire is that of y-codemirror.next (`cursor: {anchor, head}`, relative positions as JSON), so its editors and these
 * see each other. Its own view of cursors is not used: it writes colours that peers send into style attributes as they
 * are, and throws on a malformed position. A name shows while its cursor moves and on hover.
 */

import { Annotation, RangeSet, type Extension, type Range } from '@codemirror/state';
import { Decoration, EditorView, ViewPlugin, WidgetType, type DecorationSet, type ViewUpdate } from '@codemirror/view';
import type { Awareness } from 'y-protocols/awareness';
import type * as Y from 'yjs';
import { lightened, readableOn } from '../colours';
import { field, readPerson, type Person } from '../session/presence';
import { absolutePosition, relativePosition } from './relative-position';

/** Goes after the extension that binds the text, which must have carried an edit to Yjs before cursors are placed. */
export function remoteCursors(text: Y.Text, awareness: Awareness): Extension {
  return ViewPlugin.define((view) => new RemoteCursors(view, text, awareness), {
    decorations: (cursors) => cursors.decorations,
  });
}

class RemoteCursors {
  decorations: DecorationSet = RangeSet.empty;
  readonly #text: Y.Text;
  readonly #awareness: Awareness;
  readonly #onChange: (change: AwarenessChange) => void;
  /** The last cursor seen of each member, to tell a move from an edit that shifts it. */
  readonly #seen = new Map<number, { cursor: string; moves: number }>();

  constructor(view: EditorView, text: Y.Text, awareness: Awareness) {
    this.#text = text;
    this.#awareness = awareness;
    this.#onChange = ({ added, updated, removed }) => {
      for (const clientId of removed) this.#seen.delete(clientId);
      const others = [...added, ...updated, ...removed].some((clientId) => clientId !== awareness.clientID);
      if (others) view.dispatch({ annotations: cursorsChanged.of(true) });
    };
    awareness.on('change', this.#onChange);
  }

  destroy(): void {
    this.#awareness.off('change', this.#onChange);
  }

  update(update: ViewUpdate): void {
    if (update.docChanged || update.selectionSet || update.focusChanged) this.#publishOwn(update.view);
    const changed = update.transactions.some((transaction) => transaction.annotation(cursorsChanged) === true);
    if (!update.docChanged && !changed) return;
    this.decorations = this.#draw(update.view);
    this.#keepNamesInside(update.view);
  }

  /** Our cursor stays where it was when the focus leaves: whoever clicks a button has not left the text. */
  #publishOwn(view: EditorView): void {
    if (!view.hasFocus) return;
    const { anchor, head } = view.state.selection.main;
    const cursor = {
      anchor: relativePosition(this.#text, anchor),
      head: relativePosition(this.#text, head),
    };
    const published = field(this.#awareness.getLocalState(), 'cursor');
    if (JSON.stringify(published) !== JSON.stringify(cursor)) this.#awareness.setLocalStateField('cursor', cursor);
  }

  #draw(view: EditorView): DecorationSet {
    const ranges: Range<Decoration>[] = [];
    for (const [clientId, state] of this.#awareness.getStates()) {
      if (clientId === this.#awareness.clientID) continue;
      const cursor = field(state, 'cursor');
      const anchor = this.#position(field(cursor, 'anchor'), view.state.doc.length);
      const head = this.#position(field(cursor, 'head'), view.state.doc.length);
      if (anchor === undefined || head === undefined) continue;
      const person = readPerson(clientId, state, false);
      if (anchor !== head) {
        ranges.push(selectionMark(person).range(Math.min(anchor, head), Math.max(anchor, head)));
      }
      const widget = new CaretWidget(person, this.#moves(clientId, cursor));
      ranges.push(Decoration.widget({ widget, side: head < anchor ? 1 : -1 }).range(head));
    }
    return Decoration.set(ranges, true);
  }

  /** Hangs a name to the left of its caret where it would leave the editor at the right. */
  #keepNamesInside(view: EditorView): void {
    view.requestMeasure({
      key: this,
      read: () => {
        const end = view.scrollDOM.getBoundingClientRect().right;
        return [...view.contentDOM.querySelectorAll<HTMLElement>('.remote-caret')].map((caret) => {
          const width = caret.querySelector<HTMLElement>('.remote-caret-name')?.offsetWidth ?? 0;
          return { caret, nearEnd: caret.getBoundingClientRect().left + width > end };
        });
      },
      write: (names) => {
        for (const { caret, nearEnd } of names) caret.classList.toggle('near-end', nearEnd);
      },
    });
  }

  #moves(clientId: number, cursor: unknown): number {
    const text = JSON.stringify(cursor);
    const seen = this.#seen.get(clientId);
    if (seen?.cursor === text) return seen.moves;
    const moves = (seen?.moves ?? 0) + 1;
    this.#seen.set(clientId, { cursor: text, moves });
    return moves;
  }

  #position(sent: unknown, length: number): number | undefined {
    const position = absolutePosition(this.#text, sent);
    return position === undefined ? undefined : Math.min(position, length);
  }
}

class CaretWidget extends WidgetType {
  readonly #person: Person;
  readonly #moves: number;

  constructor(person: Person, moves: number) {
    super();
    this.#person = person;
    this.#moves = moves;
  }

  /** A moved caret is a new element, which starts the fading of its name anew. */
  override eq(other: CaretWidget): boolean {
    return (
      other.#moves === this.#moves &&
      other.#person.clientId === this.#person.clientId &&
      other.#person.name === this.#person.name &&
      other.#person.colour === this.#person.colour
    );
  }

  override toDOM(): HTMLElement {
    const caret = document.createElement('span');
    caret.className = 'remote-caret';
    caret.setAttribute('aria-hidden', 'true');
    caret.style.setProperty('--person', this.#person.colour);
    caret.style.setProperty('--on-person', readableOn(this.#person.colour));
    const name = document.createElement('span');
    name.className = 'remote-caret-name';
    name.textContent = this.#person.name;
    // Word joiners keep the caret from opening a place to break the line.
    caret.append('\u2060', name, '\u2060');
    return caret;
  }

  override ignoreEvent(): boolean {
    return true;
  }
}

function selectionMark(person: Person): Decoration {
  const style = `background-color: ${lightened(person.colour)}`;
  return Decoration.mark({ class: 'remote-selection', attributes: { style } });
}

const cursorsChanged = Annotation.define<true>();

interface AwarenessChange {
  readonly added: readonly number[];
  readonly updated: readonly number[];
  readonly removed: readonly number[];
}
