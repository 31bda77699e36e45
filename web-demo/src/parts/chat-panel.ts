/** The chat: a button that says how much is unread, and a panel beside the document. */

import { MessageCircle, SendHorizontal, X } from 'lucide';
import { readStored, writeStored } from '../browser-storage';
import { element } from '../dom';
import type { Chat, ChatState } from '../session/chat';
import type { ChatLine } from '../session/chat-wire';
import type { Person } from '../session/presence';
import type { Watched } from '../watched';
import { activitySentence } from './activity-sentence';
import { icon } from './icons';

export interface ChatPanel {
  readonly button: HTMLElement;
  readonly panel: HTMLElement;
}

export function chatPanel(chat: Chat, people: Watched<readonly Person[]>): ChatPanel {
  const unread = element('span', { class: 'unread', hidden: true });
  const button = element(
    'button',
    { class: 'button', type: 'button', 'aria-expanded': 'false', 'aria-controls': PANEL_ID },
    icon(MessageCircle, 17),
    element('span', { class: 'wide-label' }, 'Chat'),
    unread,
  );
  const close = element('button', { class: 'icon-button', type: 'button', 'aria-label': 'Close the chat' }, icon(X));
  const list = element('ol', { class: 'chat-lines' });
  const log = element('div', { class: 'chat-log', role: 'log', 'aria-label': 'Messages', tabindex: '0' }, list);
  const state = element('p', { class: 'chat-state', role: 'status' });
  const form = messageForm(chat);
  const typing = element('p', { class: 'chat-typing', 'aria-live': 'polite' });
  const panel = element(
    'aside',
    { class: 'chat', id: PANEL_ID, 'aria-label': 'Chat', hidden: true },
    element('header', { class: 'chat-head' }, element('h2', {}, 'Chat'), close),
    log,
    typing,
    state,
    form.element,
  );
  let seen = 0;
  const drawButton = (): void => {
    if (!panel.hidden) seen = messagesIn(chat.lines.value);
    const count = messagesIn(chat.lines.value) - seen;
    unread.hidden = count <= 0;
    unread.textContent = count > 99 ? '99+' : String(count);
    button.setAttribute('aria-label', count > 0 ? `Chat, ${count} unread` : 'Chat');
    button.setAttribute('aria-expanded', String(!panel.hidden));
  };
  const drawTyping = (): void => {
    typing.textContent = panel.hidden ? '' : activitySentence({ typing: chat.typists.value, drawing: [] });
  };
  const show = (isOpen: boolean): void => {
    panel.hidden = !isOpen;
    drawTyping();
    writeStored(KEY, isOpen);
    drawButton();
    if (isOpen) log.scrollTop = log.scrollHeight;
  };
  button.addEventListener('click', () => {
    show(panel.hidden !== false);
    if (!panel.hidden) form.focus();
  });
  const leave = (): void => {
    show(false);
    button.focus();
  };
  close.addEventListener('click', leave);
  panel.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') leave();
  });
  drawLines(chat.lines, people, { log, list });
  chat.lines.watch(drawButton);
  chat.typists.watch(drawTyping);
  chat.state.watch((now) => {
    state.textContent = STATE_WORDS[now.kind](now);
    state.hidden = state.textContent === '';
    form.enable(now.kind === 'open');
  });
  show(readStored(KEY) === true);
  return { button, panel };
}

function messageForm(chat: Chat): { readonly element: HTMLElement; readonly focus: () => void; readonly enable: (isOpen: boolean) => void } {
  const input = element('textarea', { rows: '1', maxlength: String(LONGEST_MESSAGE), 'aria-label': 'Message', placeholder: 'Message' });
  const send = element('button', { class: 'icon-button send', type: 'submit', 'aria-label': 'Send' }, icon(SendHorizontal));
  const problem = element('p', { class: 'problem', role: 'alert' });
  const form = element('form', { class: 'chat-form' }, element('div', { class: 'chat-line' }, input, send), problem);
  input.addEventListener('input', () => {
    problem.textContent = '';
    if (input.value.trim() === '') chat.stopTyping();
    else chat.typing();
  });
  input.addEventListener('blur', () => chat.stopTyping());
  input.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const message = input.value.trim();
    if (message === '') return;
    input.value = '';
    chat.send(message).catch((error: unknown) => {
      // What was typed meanwhile stays behind what could not be sent.
      input.value = [message, input.value].filter((text) => text !== '').join('\n');
      problem.textContent = `Not sent. ${error instanceof Error ? error.message : ''}`;
    });
  });
  return {
    element: form,
    focus: () => input.focus(),
    enable: (isOpen) => {
      send.disabled = !isOpen;
    },
  };
}

/** New lines are added to what is there, so that a screen reader reads them alone. */
function drawLines(
  lines: Watched<readonly ChatLine[]>,
  people: Watched<readonly Person[]>,
  { log, list }: { readonly log: HTMLElement; readonly list: HTMLElement },
): void {
  let drawn: readonly ChatLine[] = [];
  lines.watch((now) => {
    const wasAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END;
    for (const line of drawn) if (!now.includes(line)) list.firstElementChild?.remove();
    for (const line of now.filter((each) => !drawn.includes(each))) list.append(lineItem(line, colourOf(line, people.value)));
    drawn = now;
    if (wasAtEnd) log.scrollTop = log.scrollHeight;
  });
}

function lineItem(line: ChatLine, colour: string | undefined): HTMLElement {
  const time = element('time', { datetime: line.at.toISOString() }, line.at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }));
  if (line.kind === 'notice') return element('li', { class: 'chat-notice' }, line.message, ' ', time);
  const mark = element('span', { class: 'chat-mark', 'aria-hidden': 'true' });
  if (colour !== undefined) mark.style.backgroundColor = colour;
  return element('li', {}, element('p', { class: 'chat-who' }, mark, element('b', {}, line.user), ' ', time), element('p', { class: 'chat-text' }, line.message));
}

/** The chat knows names only; whoever of that name is in the document lends the colour. */
function colourOf(line: ChatLine, people: readonly Person[]): string | undefined {
  return line.kind === 'message' ? people.find((person) => person.name === line.user)?.colour : undefined;
}

function messagesIn(lines: readonly ChatLine[]): number {
  return lines.filter(({ kind }) => kind === 'message').length;
}

const STATE_WORDS: Readonly<Record<ChatState['kind'], (state: ChatState) => string>> = {
  connecting: () => 'Connecting…',
  open: () => '',
  away: () => 'The chat is away and comes back by itself.',
  unavailable: (state) => (state.kind === 'unavailable' ? state.reason : ''),
};
const PANEL_ID = 'chat';
const KEY = 'ydock.chat';
const LONGEST_MESSAGE = 2000;
/** So near to the end counts as reading along, in pixels. */
const NEAR_END = 60;
