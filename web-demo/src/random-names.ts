/** Names that a person can read out: for new documents and for people who have not said theirs. */

import { parseDocumentName, type DocumentName } from './document-name';

/** A new document's name; the letters at its end make it hard to guess and collisions improbable. */
export function randomDocumentName(): DocumentName {
  const letters = Array.from({ length: 6 }, () => pick(LETTERS)).join('');
  const parsed = parseDocumentName(`${pick(ADJECTIVES)}-${pick(ANIMALS)}-${letters}`);
  if (!parsed.ok) throw new Error('the word lists hold a word that no document name may have');
  return parsed.name;
}

export function randomPersonName(): string {
  return `${capitalised(pick(ADJECTIVES))} ${capitalised(pick(ANIMALS))}`;
}

export function randomIndex(count: number): number {
  const [value = 0] = crypto.getRandomValues(new Uint32Array(1));
  return value % count;
}

function pick(words: readonly string[]): string {
  return words[randomIndex(words.length)] ?? '';
}

function capitalised(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}

const ADJECTIVES: readonly string[] = (
  'able amber bold brave bright brisk calm candid cheerful clever cosy curious daring deft eager early fair fond ' +
  'gentle glad golden grand happy honest humble jolly keen kind lively loyal lucky mellow merry mild neat nimble noble ' +
  'patient placid polite proud quick quiet ready rosy sage silver sincere smart snug sunny swift tidy trusty upbeat ' +
  'vivid warm wise witty young zesty'
).split(' ');

const ANIMALS: readonly string[] = (
  'badger beaver bee bison cat cod crane crow deer dolphin dove eagle egret elk falcon ferret finch fox gecko goose ' +
  'gull hare hawk hedgehog heron horse ibis jay kestrel koala lark lemur lion lynx magpie marten mole moose moth newt ' +
  'octopus orca otter owl panda pelican penguin puffin quail rabbit raven robin salmon seal shark sparrow squid stork ' +
  'swan tiger toad trout turtle whale wolf wren'
).split(' ');

/** Without letters and digits that look alike. */
const LETTERS: readonly string[] = [...'abcdefghjkmnpqrstuvwxyz23456789'];
