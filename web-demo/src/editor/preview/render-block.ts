/**
 * Draws a block's Markdown as DOM nodes, straight from the parser's tokens: no string of HTML ever exists, so nothing that
 * a peer writes can become markup. What is too long to be drawn well stands there as plain text, with a note.
 */

import { Image } from 'lucide';
import type { Token } from 'markdown-it';
import { element } from '../../dom';
import { icon } from '../../parts/icons';
import { imageAddress, linkAddress } from './addresses';
import { parseBlock, type References } from './markdown';

/** Checkboxes of tasks carry where their `[ ]` stands in `source` as `data-offset`. */
export function renderBlock(source: string, references: References): readonly Node[] {
  if (source.length > MAX_LENGTH) return plain(source);
  const normalised = source.replaceAll('\r', ' ');
  const tokens = parseBlock(normalised, references);
  const count = tokens.reduce((sum, token) => sum + 1 + (token.children?.length ?? 0), 0);
  return count > MAX_TOKENS ? plain(source) : new Drawing(normalised).block(tokens);
}

class Drawing {
  readonly #source: string;
  readonly #root = document.createDocumentFragment();
  readonly #open: (Element | DocumentFragment)[] = [this.#root];
  /** Links that are open here: a link inside of another would end it. */
  #links = 0;

  constructor(source: string) {
    this.#source = source;
  }

  block(tokens: readonly Token[]): readonly Node[] {
    for (const token of tokens) {
      if (token.type === 'inline') this.#inline(token);
      else this.#draw(token);
    }
    return [...this.#root.childNodes];
  }

  #inline(token: Token): void {
    const children = token.children ?? [];
    const [first] = children;
    const box = first?.type === 'text' && this.#isItemStart() ? TASK_BOX.exec(first.content) : null;
    if (first !== undefined && box !== null) {
      first.content = first.content.slice(box[0].length);
      this.#task(token, box[1] !== ' ', textOf(children));
    }
    for (const child of children) this.#draw(child);
  }

  #draw(token: Token): void {
    switch (token.type) {
      case 'text':
        this.#append(token.content);
        return;
      case 'softbreak':
      case 'hardbreak':
        this.#append(element('br'));
        return;
      case 'hr':
        this.#append(element('hr'));
        return;
      case 'code_inline':
        this.#append(element('code', {}, token.content));
        return;
      case 'fence':
      case 'code_block':
        this.#append(element('pre', {}, element('code', {}, token.content)));
        return;
      case 'image':
        this.#append(this.#image(token));
        return;
      case 'link_open':
        this.#openLink(token);
        return;
      case 'link_close':
        this.#links -= 1;
        this.#close();
        return;
      case 'table_open':
        this.#enter(element('div', { class: 'table', tabindex: '0', role: 'region', 'aria-label': 'Table' }));
        this.#enter(element('table'));
        return;
      case 'table_close':
        this.#close();
        this.#close();
        return;
      default:
        if (token.hidden) return;
        if (token.nesting < 0) this.#close();
        else if (token.nesting > 0) this.#enter(container(token));
        else this.#append(token.content);
    }
  }

  #openLink(token: Token): void {
    const address = linkAddress(String(token.attrGet('href') ?? ''), location.href);
    this.#links += 1;
    this.#enter(address === undefined || this.#links > 1 ? element('span') : link(address, token.attrGet('title')));
  }

  /** An image from elsewhere is a link to it: to load it would tell its host who reads here. */
  #image(token: Token): Node {
    const source = String(token.attrGet('src') ?? '');
    const alt = textOf(token.children ?? []);
    const shown = imageAddress(source, location.href);
    if (shown !== undefined) return element('img', { src: shown, alt, loading: 'lazy', ...title(token.attrGet('title')) });
    const address = linkAddress(source, location.href);
    const name = alt === '' ? 'Image' : alt;
    if (address === undefined || this.#links > 0) return element('span', { class: 'image-link' }, icon(Image, 16), name);
    const linked = link(address, token.attrGet('title'));
    linked.classList.add('image-link');
    linked.append(icon(Image, 16), name);
    return linked;
  }

  #task({ map }: Token, done: boolean, label: string): void {
    const offset = this.#source.indexOf('[', lineStart(this.#source, map?.[0] ?? 0));
    const box = element('input', {
      type: 'checkbox',
      checked: done,
      'aria-label': label.trim() === '' ? 'Task' : label.trim(),
      'data-offset': String(offset),
    });
    const item = this.#top instanceof HTMLLIElement ? this.#top : this.#top.parentElement;
    item?.classList.add('task');
    this.#append(box);
  }

  #isItemStart(): boolean {
    const parent = this.#top;
    if (parent.childNodes.length > 0) return false;
    return parent instanceof HTMLLIElement || (parent instanceof HTMLParagraphElement && isOnlyChildOfItem(parent));
  }

  get #top(): Element | DocumentFragment {
    return this.#open.at(-1) ?? this.#root;
  }

  #append(child: Node | string): void {
    this.#top.append(child);
  }

  /** What is nested too deep is drawn without its marks: browsers lay out by recursion. */
  #enter(child: Element): void {
    if (this.#open.length > DEEPEST) {
      this.#open.push(this.#top);
      return;
    }
    this.#top.append(child);
    this.#open.push(child);
  }

  #close(): void {
    if (this.#open.length > 1) this.#open.pop();
  }
}

function container(token: Token): Element {
  switch (token.type) {
    case 'heading_open':
      // The page's own heading is the first level.
      return document.createElement(`h${Math.min(6, Number(token.tag.slice(1)) + 1)}`);
    case 'ordered_list_open':
      return element('ol', { start: String(token.attrGet('start') ?? 1) });
    case 'th_open':
    case 'td_open': {
      const alignment = /(left|center|right)$/.exec(String(token.attrGet('style') ?? ''))?.[1];
      const cell = document.createElement(token.tag);
      if (alignment !== undefined) cell.className = `align-${alignment}`;
      return cell;
    }
    default:
      return document.createElement(ELEMENTS.has(token.tag) ? token.tag : 'span');
  }
}

function link(address: string, titled: string | number | null): HTMLAnchorElement {
  return element('a', { href: address, target: '_blank', rel: 'noopener noreferrer nofollow', ...title(titled) });
}

function title(text: string | number | null): { title?: string } {
  return text === null || text === '' ? {} : { title: String(text) };
}

function textOf(tokens: readonly Token[]): string {
  return tokens.map(({ type, content, children }) => (children === null ? (type === 'softbreak' ? ' ' : content) : textOf(children))).join('');
}

function isOnlyChildOfItem(paragraph: Element): boolean {
  return paragraph.parentElement instanceof HTMLLIElement && paragraph.parentElement.childNodes.length === 1;
}

function lineStart(source: string, line: number): number {
  let at = 0;
  for (let passed = 0; passed < line; passed += 1) at = source.indexOf('\n', at) + 1;
  return at;
}

function plain(source: string): readonly Node[] {
  const shown = source.slice(0, PLAIN_LENGTH);
  const rest = shown.length < source.length ? ' Only its beginning is shown.' : '';
  return [
    element('p', { class: 'preview-note' }, `This part is too long for the preview.${rest}`),
    element('pre', { class: 'too-long' }, shown.toWellFormed()),
  ];
}

const TASK_BOX = /^\[([ xX])\][ \t]+/;
const ELEMENTS: ReadonlySet<string> = new Set(
  'p blockquote ul ol li thead tbody tr th td em strong s code'.split(' '),
);
const MAX_LENGTH = 50_000;
/** A table of few characters can have very many cells. */
const MAX_TOKENS = 12_000;
const PLAIN_LENGTH = 5_000;
const DEEPEST = 64;
