/** Sentences about people: who is typing, who came, who went. Short whatever the names are and however many. */

export interface Active {
  readonly typing: readonly string[];
  readonly drawing: readonly string[];
}

/** `Ada is typing…`; empty when nobody does anything. */
export function activitySentence({ typing, drawing }: Active): string {
  const parts = [doing(typing, 'typing'), doing(drawing, 'drawing')].filter((part) => part !== '');
  return parts.length === 0 ? '' : `${parts.join(', ')}…`;
}

export interface Arrivals {
  readonly joined: readonly string[];
  readonly left: readonly string[];
}

/** `Ben joined`; empty when nobody came or went. */
export function arrivalSentence({ joined, left }: Arrivals): string {
  return [came(joined, 'joined'), came(left, 'left')].filter((part) => part !== '').join(', ');
}

function doing(names: readonly string[], activity: string): string {
  return names.length === 0 ? '' : `${listed(names)} ${names.length === 1 ? 'is' : 'are'} ${activity}`;
}

function came(names: readonly string[], happened: string): string {
  return names.length === 0 ? '' : `${listed(names)} ${happened}`;
}

function listed(names: readonly string[]): string {
  const [first = '', second = '', ...rest] = names.map(shortened);
  if (names.length === 1) return first;
  if (rest.length === 0) return `${first} and ${second}`;
  return `${first}, ${second} and ${rest.length === 1 ? 'one other' : `${rest.length} others`}`;
}

/** Long names would push the verb out of a narrow line. */
function shortened(name: string): string {
  const letters = [...name];
  return letters.length <= MAX_NAME_SHOWN ? name : `${letters.slice(0, MAX_NAME_SHOWN - 1).join('').trim()}…`;
}

const MAX_NAME_SHOWN = 16;
