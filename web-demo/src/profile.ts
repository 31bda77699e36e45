/** How this browser's person appears to others: a name and a colour, kept in localStorage. */

import { readStored, writeStored } from './browser-storage';
import { PALETTE, parseColour } from './colours';
import { randomIndex, randomPersonName } from './random-names';

export interface Profile {
  readonly name: string;
  /** `#rrggbb`. */
  readonly colour: string;
}

/** Longest name, in characters, that is kept of ourselves and shown of others. */
export const MAX_NAME_LENGTH = 32;

/** The stored profile, or a new friendly one, which is stored at once so that it stays. */
export function loadProfile(): Profile {
  const stored = readStored(KEY);
  const fields = typeof stored === 'object' && stored !== null ? (stored as { name?: unknown; colour?: unknown }) : {};
  const profile = {
    name: parsePersonName(fields.name) ?? randomPersonName(),
    colour: parseColour(fields.colour, randomIndex(PALETTE.length)),
  };
  if (profile.name !== fields.name || profile.colour !== fields.colour) saveProfile(profile);
  return profile;
}

export function saveProfile(profile: Profile): void {
  writeStored(KEY, profile);
}

/** A name that can be shown: without control and direction characters, not empty, of bounded length. */
export function parsePersonName(sent: unknown): string | undefined {
  if (typeof sent !== 'string') return undefined;
  const visible = sent.slice(0, MAX_NAME_LENGTH * 8).replace(INVISIBLE, ' ').replace(/\s+/g, ' ').trim();
  const name = [...visible].slice(0, MAX_NAME_LENGTH).join('').trim();
  return name === '' ? undefined : name;
}

const KEY = 'ydock.profile';
const INVISIBLE = /[\p{Cc}\p{Cs}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
