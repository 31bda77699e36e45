/** What the chat's gateway sends, read from values that any client may have caused. */

import { parsePersonName } from '../profile';
import { field } from './presence';

export type ChatLine =
  | { readonly kind: 'message'; readonly user: string; readonly message: string; readonly at: Date }
  /** That somebody came or went. */
  | { readonly kind: 'notice'; readonly message: string; readonly at: Date };

/** A message in this room. */
export function readMessage(sent: unknown, room: string): ChatLine | undefined {
  const message = field(sent, 'message');
  if (field(sent, 'room') !== room || typeof message !== 'string') return undefined;
  return { kind: 'message', user: parsePersonName(field(sent, 'user')) ?? 'Someone', message: message.slice(0, LONGEST), at: timeOf(sent) };
}

export function readNotification(sent: unknown): ChatLine | undefined {
  const message = field(sent, 'message');
  return typeof message === 'string' ? { kind: 'notice', message: message.slice(0, LONGEST), at: timeOf(sent) } : undefined;
}

export interface TypingNote {
  readonly user: string;
  readonly isTyping: boolean;
  /** The Yjs client id of whoever types. */
  readonly clientId: number | undefined;
}

/** A note about this room; without a room it is about the only one that the socket is in. */
export function readTyping(sent: unknown, room: string): TypingNote | undefined {
  const user = parsePersonName(field(sent, 'user'));
  const isTyping = field(sent, 'isTyping');
  const clientId = field(sent, 'clientId');
  if (user === undefined || typeof isTyping !== 'boolean' || (field(sent, 'room') ?? room) !== room) return undefined;
  return { user, isTyping, clientId: typeof clientId === 'number' ? clientId : undefined };
}

/** What an acknowledgement says went wrong. */
export function readProblem(answer: unknown): string | undefined {
  if (field(answer, 'status') !== 'error') return undefined;
  const message = field(answer, 'message');
  const texts = (Array.isArray(message) ? message : [message]).filter((text): text is string => typeof text === 'string');
  return texts.length === 0 ? 'The server refused it.' : texts.join(' ').slice(0, LONGEST);
}

function timeOf(sent: unknown): Date {
  const time = field(sent, 'timestamp');
  const at = typeof time === 'string' ? new Date(time) : new Date(Number.NaN);
  return Number.isNaN(at.getTime()) ? new Date() : at;
}

const LONGEST = 4000;
