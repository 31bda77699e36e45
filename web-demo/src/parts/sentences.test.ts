import { expect, test } from 'vitest';
import { activitySentence, arrivalSentence } from './activity-sentence';
import { comings } from './arrivals';

test('who types and who draws are told apart', () => {
  expect(activitySentence({ typing: [], drawing: [] })).toBe('');
  expect(activitySentence({ typing: ['Ada'], drawing: [] })).toBe('Ada is typing…');
  expect(activitySentence({ typing: [], drawing: ['Ada', 'Ben'] })).toBe('Ada and Ben are drawing…');
  expect(activitySentence({ typing: ['Ada', 'Ben', 'Cleo'], drawing: ['Dan'] })).toBe('Ada, Ben and one other are typing, Dan is drawing…');
  expect(activitySentence({ typing: ['Maximilian Featherstonehaugh'], drawing: [] })).toBe('Maximilian Feat… is typing…');
});

test('several who come or go are one sentence', () => {
  expect(arrivalSentence({ joined: [], left: [] })).toBe('');
  expect(arrivalSentence({ joined: ['Ben'], left: [] })).toBe('Ben joined');
  expect(arrivalSentence({ joined: ['A', 'B', 'C', 'D'], left: ['E'] })).toBe('A, B and 2 others joined, E left');
});

function person(clientId: number, name: string, isSelf = false) {
  return { clientId, name, colour: '#000000', isSelf };
}

test('who reloads has neither come nor gone', () => {
  const self = person(1, 'Ada', true);
  expect(comings([self, person(2, 'Ben')], [self, person(3, 'Ben'), person(4, 'Cleo')])).toEqual({ joined: ['Cleo'], left: [] });
  expect(comings([self, person(2, 'Ben')], [self])).toEqual({ joined: [], left: ['Ben'] });
  expect(comings([person(2, 'Ben')], [person(3, 'Ben'), person(4, 'Ben')])).toEqual({ joined: ['Ben'], left: [] });
  expect(comings([], [self])).toEqual({ joined: [], left: [] });
});
