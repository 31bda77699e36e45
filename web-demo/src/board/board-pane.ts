/** The whiteboard as a part of a page: its surface, its bars, and what the page asks of it. */

import type * as Y from 'yjs';
import { element } from '../dom';
import { Watched } from '../watched';
import { boardPng, boardSvg, type BoardPicture } from './board-export';
import { browserFonts, measureWith } from './drawing/fonts';
import { Pictures } from './drawing/pictures';
import { addImages } from './images';
import { BoardDocument } from './model/board-document';
import type { Box } from './model/geometry';
import type { Paper } from './model/palette';
import { IMAGE_TYPES } from './model/reading';
import { shortcutsDialog } from './parts/shortcuts';
import { styleBar } from './parts/style-bar';
import { toolBar } from './parts/tool-bar';
import { viewBar } from './parts/view-bar';
import type { BoardPresence } from './presence';
import { Surface } from './view/surface';
import { Workbench } from './workbench';

export interface BoardPaneParts {
  readonly root: Y.Map<unknown>;
  readonly presence: BoardPresence;
  readonly editable: Watched<boolean>;
  /** The person is drawing. */
  readonly onActivity: () => void;
  /** The person moved the view. */
  readonly onLook: () => void;
  readonly onProblems: (problems: readonly string[]) => void;
}

export class BoardPane {
  readonly element = element('section', { class: 'board', 'aria-label': 'Whiteboard' });
  readonly bench: Workbench;
  readonly #surface: Surface;
  readonly #presence: BoardPresence;
  /** Set while the document arrives. */
  #arriving: (() => void) | undefined;
  #hasArrived = false;

  constructor({ root, presence, editable, onActivity, onLook, onProblems }: BoardPaneParts) {
    const fonts = browserFonts();
    const board = new BoardDocument(root, measureWith(fonts));
    const pictures = new Pictures(() => this.#surface.repaint());
    this.bench = new Workbench({ board, fonts, pictures, editable, onActivity });
    const { bench } = this;
    const paper = systemPaper();
    const writtenInto = new Watched<string | undefined>(undefined);
    bench.writing.watch((writing) => {
      writtenInto.value = writing?.id;
    });
    const picker = element('input', { type: 'file', accept: IMAGE_TYPES.join(','), multiple: true, hidden: true, 'aria-label': 'Image files' });
    picker.addEventListener('change', () => {
      void addImages([...(picker.files ?? [])], undefined, bench).then(onProblems);
      picker.value = '';
    });
    const onPickImage = (): void => picker.click();
    const shortcuts = shortcutsDialog();
    const onHelp = shortcuts.open;
    this.#surface = new Surface({ bench, presence, paper, writtenInto, onLook, onPickImage, onHelp, onProblems });
    const style = styleBar(bench, paper);
    bench.selection.watch(style.draw);
    board.onChange((changed) => {
      this.#arriving?.();
      if (!bench.dragging.value && [...changed].some((id) => bench.selection.value.has(id))) style.draw();
    });
    const bars = [toolBar(bench, onPickImage), style.element, viewBar(bench, { onLook, onHelp })];
    this.element.append(this.#surface.element, ...bars, picker, shortcuts.element);
    bench.camera.size.watch(() => {
      this.#arriving?.();
      if (this.#hasArrived) this.#settle();
    });
    for (const touch of ['pointerdown', 'wheel', 'keydown']) this.element.addEventListener(touch, () => this.#settle(), { capture: true, passive: true });
    this.#presence = presence;
    bench.camera.view.watch(() => this.publishView());
    bench.camera.size.watch(() => this.publishView());
  }

  focus(): void {
    this.#surface.focus();
  }

  /**
   * Brings everything into view, and goes on doing so while more of the document arrives, until the person looks or draws.
   * A board that is hidden then is brought into view when it is first seen.
   */
  showAll(): void {
    this.#arriving = () => {
      const box = this.bench.wholeBox;
      if (box !== undefined && this.#isSeen) this.bench.camera.fit(box);
    };
    this.#arriving();
  }

  /** The document is there: what comes from now on is drawn by somebody and moves no view. */
  arrived(): void {
    this.#hasArrived = true;
    this.#settle();
  }

  /** Shows the part of the board that somebody else sees. */
  show(viewport: Box): void {
    this.#settle();
    this.bench.camera.match(viewport);
  }

  /** Tells the others what is seen here. */
  publishView(): void {
    const { camera } = this.bench;
    // A hidden board shows nothing that another could look at.
    if (!this.#isSeen) return;
    const { x, y, width, height } = camera.visible;
    this.#presence.publish({ viewport: { x: Math.round(x), y: Math.round(y), width: Math.round(width), height: Math.round(height) } });
  }

  svg(): Blob {
    return boardSvg(this.#picture());
  }

  png(): Promise<Blob> {
    return boardPng(this.#picture());
  }

  #picture(): BoardPicture {
    return { shapes: this.bench.board.stack, box: this.bench.wholeBox, fonts: this.bench.fonts };
  }

  #settle(): void {
    // A board that nobody has seen yet is still to be shown whole.
    if (this.#isSeen) this.#arriving = undefined;
  }

  /** Whether the board has a place on the page. */
  get #isSeen(): boolean {
    return this.bench.camera.size.value.width > 1;
  }
}

function systemPaper(): Watched<Paper> {
  const query = matchMedia('(prefers-color-scheme: dark)');
  const paper = new Watched<Paper>(query.matches ? 'dark' : 'light');
  query.addEventListener('change', ({ matches }) => {
    paper.value = matches ? 'dark' : 'light';
  });
  return paper;
}
