/** The board's side of presence, read from awareness states that any client may have written. */

import type { Awareness } from 'y-protocols/awareness';
import type { BoardPeer, BoardPresence, BoardTrace } from '../board/presence';
import { Watched } from '../watched';
import { field, readPerson } from './presence';

export function boardPresence(awareness: Awareness, publish: (trace: BoardTrace) => void): BoardPresence {
  const peers = new Watched<readonly BoardPeer[]>([]);
  const read = (): void => {
    const others = [...awareness.getStates()].filter(([clientId]) => clientId !== awareness.clientID);
    peers.value = others.flatMap(([clientId, state]) => readPeer(clientId, state) ?? []);
  };
  awareness.on('change', ({ added, updated, removed }: Readonly<Record<'added' | 'updated' | 'removed', readonly number[]>>) => {
    if ([...added, ...updated, ...removed].some((clientId) => clientId !== awareness.clientID)) read();
  });
  read();
  return { peers, publish };
}

/** Undefined for somebody who shows nothing on the board. */
function readPeer(clientId: number, state: unknown): BoardPeer | undefined {
  const pointer = readPoint(field(state, 'pointer'));
  const sent = field(state, 'selection');
  const selection = Array.isArray(sent) ? sent.filter((id): id is string => typeof id === 'string').slice(0, MOST_SELECTED) : [];
  if (pointer === undefined && selection.length === 0) return undefined;
  const { name, colour } = readPerson(clientId, state, false);
  return { clientId, name, colour, pointer, selection };
}

export function readPoint(sent: unknown): { readonly x: number; readonly y: number } | undefined {
  const [x, y] = [field(sent, 'x'), field(sent, 'y')];
  return isCoordinate(x) && isCoordinate(y) ? { x, y } : undefined;
}

function isCoordinate(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= FARTHEST;
}

const MOST_SELECTED = 100;
const FARTHEST = 10_000_000;
