/** People in one document see each other's text, cursors, typing, comings and goings. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, eventuallyReads, newPerson, screenshot, startBrowser, startServer } from './harness.mjs';

let server;
let browser;

before(async () => {
  server = await startServer();
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test('two pages converge on the text that both type', async () => {
  const { ada, ben } = await adaAndBen('converge');
  await Promise.all([ada.type('Ada writes this. '), ben.type('Ben writes that. ')]);
  await eventually(async () => {
    const text = await ada.text();
    assert.equal(text, await ben.text());
    assert.equal([...text].sort().join(''), [...'Ada writes this. Ben writes that. '].sort().join(''));
  });
  await assertClean(ada, ben);
});

test('each sees the other’s cursor with the name, and the note that the other is typing', async () => {
  const { ada, ben } = await adaAndBen('cursors');
  await ada.type('# Minutes\n\nWe met at noon.\n');
  await caret(ben, 'Ada').waitFor({ state: 'attached' });
  await ben.page.getByText('Ada is typing…').waitFor();
  await ben.type('And *then* we ate.');
  await caret(ada, 'Ben').waitFor({ state: 'attached' });
  await ada.page.getByText('Ben is typing…').waitFor();
  await screenshot(ada.page, 'cursors-and-typing');
  await ada.page.getByText('Ben is typing…').waitFor({ state: 'detached' });
  await assertClean(ada, ben);
});

test('leaving the text ends the typing note without waiting for the pause of 3 s', async () => {
  const { ada, ben } = await adaAndBen('blur');
  const stopped = new Promise((resolve) => {
    ada.onFrameSent((frame) => {
      if (frame[0] === 101 && frame[1] === 0) resolve(Date.now());
    });
  });
  await ada.type('Half a sent');
  await ben.page.getByText('Ada is typing…').waitFor();
  const left = Date.now();
  await ada.page.getByRole('button', { name: 'Share' }).focus();
  const waited = (await stopped) - left;
  assert.ok(waited < 2500, `it was told after ${waited} ms`);
  await ben.page.getByText('Ada is typing…').waitFor({ state: 'detached' });
  await assertClean(ada, ben);
});

test('a selection shows to the other in the colour of the one who selects', async () => {
  const { ada, ben } = await adaAndBen('selection');
  await ada.type('First line\nSecond line');
  await eventuallyReads(ben, 'First line\nSecond line');
  await ada.page.keyboard.press('Control+A');
  const selected = ben.page.locator('.remote-selection');
  await eventually(async () => assert.deepEqual(await selected.allTextContents(), ['First line', 'Second line']));
  assert.equal(await selected.first().evaluate((mark) => getComputedStyle(mark).backgroundColor), 'rgba(29, 111, 184, 0.25)');
  await assertClean(ada, ben);
});

test('a reload keeps the text', async () => {
  const ada = await newPerson(browser, 'Ada');
  await ada.open(server.documentUrl('reload/ünïcode & spaces'));
  await ada.type('It stays. 🦦');
  await ada.page.reload();
  await eventuallyReads(ada, 'It stays. 🦦');
  await assertClean(ada);
});

test('the page shows who is in the document and removes who leaves', async () => {
  const { ada, ben } = await adaAndBen('people');
  const people = ada.page.getByRole('list', { name: 'People in this document' });
  await people.getByText('Ben').waitFor();
  await people.getByText('Ada').waitFor();
  await assertClean(ada, ben);
  await ben.leave();
  await people.getByText('Ben').waitFor({ state: 'detached' });
  assert.equal(await people.getByRole('listitem').count(), 1);
});

test('a changed name shows to the others and stays after a reload', async () => {
  const { ada, ben } = await adaAndBen('rename');
  await ada.page.getByTitle('Change your name and colour').click();
  await ada.page.getByLabel('Name').fill('Countess Ada');
  await screenshot(ada.page, 'profile');
  await ada.page.getByRole('button', { name: 'Save' }).click();
  const seen = ben.page.getByRole('list', { name: 'People in this document' });
  await seen.getByText('Countess Ada').waitFor();
  await ada.page.reload();
  await ada.page.getByRole('list', { name: 'People in this document' }).getByText('Countess Ada').waitFor();
  await assertClean(ada, ben);
});

test('undo takes back the own edit and leaves the other’s', async () => {
  const { ada, ben } = await adaAndBen('undo');
  await ada.type('Ada ');
  await eventuallyReads(ben, 'Ada ');
  await ben.type('Ben');
  await eventuallyReads(ada, 'Ada Ben');
  await ada.editor.focus();
  await ada.page.keyboard.press('Control+Z');
  await eventuallyReads(ada, 'Ben');
  await eventuallyReads(ben, 'Ben');
  await assertClean(ada, ben);
});

test('a member who sends nonsense as presence does no harm', async () => {
  const { ada, ben } = await adaAndBen('nonsense');
  const states = [
    { user: { name: { toString: 1 }, color: 'red;position:fixed;inset:0' }, cursor: { anchor: 7, head: [] } },
    { user: { name: '<b>Mallory</b>\u202e\n', color: '#00ff00' }, cursor: { anchor: { type: 'x' }, head: { item: { client: 'y' } } } },
    { user: 'nobody', cursor: { anchor: { tname: 'other', assoc: 0 }, head: { tname: 'other', assoc: 0 } } },
  ];
  await ben.page.evaluate(sendPresence, states);
  const people = ada.page.getByRole('list', { name: 'People in this document' });
  await people.getByText('<b>Mallory</b>').waitFor();
  await eventually(async () => assert.equal(await people.getByText('Someone').count(), 2));
  await ada.type('Still here.');
  await eventuallyReads(ben, 'Still here.');
  await caret(ben, 'Ada').waitFor({ state: 'attached' });
  assert.equal(await ada.page.locator('.remote-caret').count(), 1, 'only Ben has a cursor');
  await assertClean(ada, ben);
});

/** Runs in a page: joins the page's document and sends each state as the presence of one more client. */
async function sendPresence(states) {
  const varUint = (number) => {
    const bytes = [];
    for (let rest = number; ; rest = Math.floor(rest / 128)) {
      if (rest < 128) return [...bytes, rest];
      bytes.push(128 + (rest % 128));
    }
  };
  const sized = (bytes) => [...varUint(bytes.length), ...bytes];
  const entries = states.flatMap((state, at) => [
    ...varUint(1000 + at),
    ...varUint(1),
    ...sized([...new TextEncoder().encode(JSON.stringify(state))]),
  ]);
  const socket = new WebSocket(`ws://${location.host}/yjs/${location.pathname.slice('/d/'.length)}`);
  await new Promise((resolve) => socket.addEventListener('open', resolve));
  socket.send(new Uint8Array([0, 0, 1, 0]));
  socket.send(new Uint8Array([1, ...sized([...varUint(states.length), ...entries])]));
  window.nonsense = socket;
}

async function adaAndBen(document) {
  const ada = await newPerson(browser, 'Ada');
  const ben = await newPerson(browser, 'Ben', { colour: '#b3540c' });
  await Promise.all([ada.open(server.documentUrl(document)), ben.open(server.documentUrl(document))]);
  return { ada, ben };
}

function caret(person, name) {
  return person.page.locator('.remote-caret-name', { hasText: name });
}

async function assertClean(...people) {
  for (const person of people) assert.deepEqual(person.problems, []);
}
