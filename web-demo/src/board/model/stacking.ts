/** Which shape lies over which: texts that sort, with room for more between any two. docs/whiteboard-schema.md, "The stack". */

import { generateKeyBetween, generateNKeysBetween } from 'fractional-indexing';
import type { Shape, ShapeId } from './shape';

export type StackMove = 'front' | 'forward' | 'backward' | 'back';

export function compareInStack(a: Shape, b: Shape): number {
  if (a.order !== b.order) return a.order < b.order ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}

/** An order above all of `stack`, which is sorted. */
export function orderOnTop(stack: readonly Shape[]): string {
  const top = stack.at(-1)?.order;
  try {
    return generateKeyBetween(top, null);
  } catch {
    // Another client's order of another make; a longer text with the same beginning sorts after it.
    return `${top ?? ''}V`;
  }
}

/**
 * The orders that put the shapes of `ids` where `move` says, keeping their order among themselves; empty when they are
 * there. When the neighbours leave no room between them, the whole stack gets new orders.
 */
export function restacked(stack: readonly Shape[], ids: ReadonlySet<ShapeId>, move: StackMove): ReadonlyMap<ShapeId, string> {
  const moving = stack.filter((shape) => ids.has(shape.id));
  const resting = stack.filter((shape) => !ids.has(shape.id));
  const at = placeAmong(stack, ids, resting.length, move);
  const wanted = [...resting.slice(0, at), ...moving, ...resting.slice(at)];
  if (wanted.every((shape, index) => shape.id === stack[index]?.id)) return new Map();
  try {
    const keys = generateNKeysBetween(resting[at - 1]?.order, resting[at]?.order, moving.length);
    return new Map(moving.map((shape, index) => [shape.id, keys[index] ?? shape.order]));
  } catch {
    const keys = generateNKeysBetween(null, null, wanted.length);
    return new Map(wanted.map((shape, index) => [shape.id, keys[index] ?? shape.order]));
  }
}

/** Before which of the resting shapes the moving ones go. */
function placeAmong(stack: readonly Shape[], ids: ReadonlySet<ShapeId>, resting: number, move: StackMove): number {
  const restingBelow = (index: number): number => stack.slice(0, index).filter((shape) => !ids.has(shape.id)).length;
  switch (move) {
    case 'front':
      return resting;
    case 'back':
      return 0;
    case 'forward':
      return Math.min(resting, restingBelow(stack.findLastIndex((shape) => ids.has(shape.id))) + 1);
    case 'backward':
      return Math.max(0, restingBelow(stack.findIndex((shape) => ids.has(shape.id))) - 1);
  }
}
