import * as decoding from 'lib0/decoding';
import { expect, test } from 'vitest';
import { decodeAccess } from './access';

function message(kind: number, text: string): decoding.Decoder {
  return decoding.createDecoder(new Uint8Array([kind, text.length, ...new TextEncoder().encode(text)]));
}

test('a grant says what it grants', () => {
  expect(decodeAccess(message(2, 'readonly'))).toBe('read-only');
  expect(decodeAccess(message(2, 'read-write'))).toBe('edit');
});

test('a refused edit means that there is only reading', () => {
  expect(decodeAccess(message(0, 'you may not'))).toBe('read-only');
});

test('what is unknown says nothing, and what ends early throws', () => {
  expect(decodeAccess(message(1, 'token'))).toBeUndefined();
  expect(() => decodeAccess(decoding.createDecoder(new Uint8Array([2, 8, 114])))).toThrow();
});
