import { describe, expect, test } from 'vitest';
import { readMessage, readNotification, readProblem, readTyping } from './chat-wire';

const NONSENSE = [undefined, null, 1, 'text', [], {}, { message: 1 }, { message: {} }, { user: {}, isTyping: 1 }];

describe('what the chat sends', () => {
  test('is read as it was meant', () => {
    const sent = { room: 'doc:a', user: ' Ada ', message: 'hello', timestamp: '2026-01-02T03:04:05.678Z' };
    expect(readMessage(sent, 'doc:a')).toEqual({ kind: 'message', user: 'Ada', message: 'hello', at: new Date(sent.timestamp) });
    expect(readNotification({ message: 'Ben joined the room' })).toMatchObject({ kind: 'notice', message: 'Ben joined the room' });
    expect(readTyping({ user: 'Ben', isTyping: true }, 'doc:a')).toEqual({ user: 'Ben', isTyping: true, clientId: undefined });
  });

  test('of other rooms is not for this one', () => {
    expect(readMessage({ room: 'doc:b', user: 'Ada', message: 'hello' }, 'doc:a')).toBeUndefined();
    expect(readTyping({ room: 'doc:b', user: 'Ben', isTyping: true }, 'doc:a')).toBeUndefined();
  });

  test('and makes no sense is left out, and a time that is none is now', () => {
    for (const sent of NONSENSE) {
      expect(readMessage(sent, 'doc:a')).toBeUndefined();
      expect(readTyping(sent, 'doc:a')).toBeUndefined();
      expect(readProblem(sent)).toBeUndefined();
    }
    const { at } = readMessage({ room: 'r', message: 'x', timestamp: 'never' }, 'r') ?? {};
    expect(Math.abs(Date.now() - (at?.getTime() ?? 0))).toBeLessThan(10_000);
  });

  test('may be a refusal in words, one or several', () => {
    expect(readProblem({ status: 'error', message: 'Message cannot be empty' })).toBe('Message cannot be empty');
    expect(readProblem({ status: 'error', message: ['too long', 'no room'] })).toBe('too long no room');
    expect(readProblem({ status: 'error' })).toBe('The server refused it.');
    expect(readProblem(undefined)).toBeUndefined();
  });
});
