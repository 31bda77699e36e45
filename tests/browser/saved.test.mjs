/** “All changes saved” is true: it is said when the server’s disk has every edit, and never before. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { boardOf, eventuallySame, storedShapes } from './board-harness.mjs';
import { connected, eventually, eventuallyReads, holdSockets, newPerson, saved, says, screenshot, startBrowser, startServer } from './harness.mjs';

let browser;

before(async () => {
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
});

test('saved is not said before the server confirms, and what is said is on the disk', async (t) => {
  let server = await startServer();
  t.after(() => server.stop());
  const ada = await newPerson(browser, 'Ada');
  const gate = await holdSockets(ada.page);
  await ada.open(server.documentUrl('confirmed'));
  await saved(ada.page);
  gate.hold();
  await ada.type('On the disk.');
  await neverSaved(ada.page, 2000);
  assert.equal(await savingOf(ada.page), 'saving');
  gate.release();
  await saved(ada.page);
  // A crash at this very moment: what was said to be saved is there.
  await server.kill();
  server = await startServer({ data: server.data, port: server.port });
  assert.equal(await exported(server, 'confirmed'), 'On the disk.');
});

test('kill -9 while both write: both go on, come back and agree, and saved is said only of what the disk has', async (t) => {
  let server = await startServer();
  t.after(() => server.stop());
  const url = server.documentUrl('killed-at-work');
  const ada = await newPerson(browser, 'Ada');
  const ben = await newPerson(browser, 'Ben', { colour: '#b3540c' });
  for (const person of [ada, ben]) {
    person.gate = await holdSockets(person.page);
    await person.open(url);
    person.board = boardOf(person);
  }
  let goesOn = true;
  const written = { ada: 0, ben: 0 };
  const adaWrites = (async () => {
    for (; goesOn; written.ada += 1) await ada.type(`a${written.ada} `);
  })();
  const benDraws = (async () => {
    for (; goesOn; written.ben += 1) {
      const [x, y] = [90 + (written.ben % 8) * 50, 100 + (written.ben % 30) * 14];
      await ben.board.draw('Rectangle', [x, y], [x + 40, y + 30]);
    }
  })();
  const bothWrite = (more) => {
    const [a, b] = [written.ada + more, written.ben + more];
    return eventually(() => assert.ok(written.ada >= a && written.ben >= b));
  };
  await bothWrite(5);
  await server.kill();
  // From here on nothing that they write is on a disk: confirmations of the next server are kept back.
  for (const { gate } of [ada, ben]) gate.hold();
  for (const { page } of [ada, ben]) await page.locator('.connection:not([data-state="connected"])').waitFor();
  const silent = Promise.all([neverSaved(ada.page, 4000), neverSaved(ben.page, 4000)]);
  await bothWrite(5);
  server = await startServer({ data: server.data, port: server.port });
  await Promise.all([connected(ada.page), connected(ben.page)]);
  await bothWrite(5);
  goesOn = false;
  await Promise.all([adaWrites, benDraws, silent]);
  for (const { gate } of [ada, ben]) gate.release();
  await Promise.all([saved(ada.page), saved(ben.page)]);
  // Again a crash at the moment of the promise.
  await server.kill();
  server = await startServer({ data: server.data, port: server.port });
  assert.equal(await exported(server, 'killed-at-work'), Array.from({ length: written.ada }, (_, at) => `a${at} `).join(''));
  assert.equal((await storedShapes(server, 'killed-at-work')).length, written.ben);
  await Promise.all([connected(ada.page), connected(ben.page)]);
  await eventuallySame(ada.board, ben.board);
  assert.equal(await ada.text(), await ben.text());
});

test('without confirmations the page says so, and sends everything again', async (t) => {
  const server = await startServer();
  t.after(() => server.stop());
  const ada = await newPerson(browser, 'Ada');
  const gate = await holdSockets(ada.page);
  await ada.open(server.documentUrl('never-echoed'));
  gate.drop();
  await ada.type('Nobody confirms this.');
  await says(ada.page, 'Not saved yet');
  await screenshot(ada.page, 'not-saved-yet');
  const before = gate.updates.length;
  gate.release();
  await eventually(() => assert.ok(gate.updates.length > before, 'everything was sent again'), 20_000);
  await saved(ada.page);
  assert.equal(await ada.text(), 'Nobody confirms this.');
  assert.deepEqual(ada.problems, []);
});

test('what was sent over a lost connection is confirmed over the next one before saved is said', async (t) => {
  const server = await startServer();
  t.after(() => server.stop());
  const ada = await newPerson(browser, 'Ada');
  const gate = await holdSockets(ada.page);
  await ada.open(server.documentUrl('sent-twice'));
  gate.hold();
  await ada.type('Sent, not confirmed.');
  await eventually(async () => assert.equal(await exported(server, 'sent-twice'), 'Sent, not confirmed.'));
  // The server has it all by now: its state vector asks for nothing.
  await gate.cut();
  await ada.page.locator('.connection[data-state="reconnecting"]').waitFor();
  await connected(ada.page);
  await neverSaved(ada.page, 1500);
  gate.release();
  await saved(ada.page);
  assert.deepEqual(ada.problems, []);
});

test('a page that was left before the confirmation has the next page ask for it', async (t) => {
  const server = await startServer();
  t.after(() => server.stop());
  const ada = await newPerson(browser, 'Ada');
  const gate = await holdSockets(ada.page);
  await ada.open(server.documentUrl('next-page'));
  gate.hold();
  await ada.type('Left too early.');
  await eventually(async () => assert.equal(await exported(server, 'next-page'), 'Left too early.'));
  await ada.page.reload();
  await eventuallyReads(ada, 'Left too early.');
  await connected(ada.page);
  await neverSaved(ada.page, 1500);
  gate.release();
  await saved(ada.page);
  assert.deepEqual(ada.problems, []);
});

test('with a full disk the page says that the server cannot save, and all is saved when there is room', async (t) => {
  let server = await startServer();
  t.after(() => server.stop());
  const ada = await newPerson(browser, 'Ada');
  const ben = await newPerson(browser, 'Ben');
  await Promise.all([ada.open(server.documentUrl('full-disk')), ben.open(server.documentUrl('full-disk'))]);
  await ada.type('Before. ');
  await saved(ada.page);
  server.fillDisk();
  await ada.type('While full. ');
  await ada.page.getByRole('heading', { name: 'The server cannot save right now' }).waitFor();
  await ada.page.getByText('Everything is kept here and will be saved when it can.').waitFor();
  await screenshot(ada.page, 'full-disk');
  await eventuallyReads(ben, 'Before. While full. ');
  await neverSaved(ada.page, 1000);
  // A reload must not make it look saved: the server has the edit, but in memory only.
  await ada.page.reload();
  await eventuallyReads(ada, 'Before. While full. ');
  await connected(ada.page);
  await neverSaved(ada.page, 1500);
  server.freeDisk();
  await saved(ada.page);
  await eventually(async () => assert.equal(await ada.page.getByText('The server cannot save right now').count(), 0));
  await server.kill();
  server = await startServer({ data: server.data, port: server.port });
  assert.equal(await exported(server, 'full-disk'), 'Before. While full. ');
  const unexpected = ada.problems.filter((problem) => !/503|WebSocket|ERR_CONNECTION/.test(problem));
  assert.deepEqual(unexpected, []);
});

test('two tabs of one person save what both write', async (t) => {
  const server = await startServer();
  t.after(() => server.stop());
  const ada = await newPerson(browser, 'Ada');
  await ada.open(server.documentUrl('two-tabs'));
  const second = await ada.page.context().newPage();
  await second.goto(server.documentUrl('two-tabs'));
  await connected(second);
  await ada.type('First tab. ');
  await second.getByRole('textbox', { name: 'Text of the document' }).focus();
  await second.keyboard.press('Control+End');
  await second.keyboard.type('Second tab. ');
  await eventually(async () => {
    const text = await ada.text();
    for (const part of ['First tab. ', 'Second tab. ']) assert.ok(text.includes(part), text);
    assert.equal(await exported(server, 'two-tabs'), text);
  });
  await Promise.all([saved(ada.page), saved(second)]);
  assert.deepEqual(ada.problems, []);
});

/** Watches for a while, at every change of the page, that it does not call anything saved. */
async function neverSaved(page, forMs) {
  const watching = page.evaluate(async (ms) => {
    const badge = document.querySelector('.connection');
    const isSaved = () => badge.dataset.saving === 'saved' || badge.textContent.includes('All changes saved');
    let seen = isSaved();
    const observer = new MutationObserver(() => (seen ||= isSaved()));
    observer.observe(badge, { attributes: true, childList: true, subtree: true, characterData: true });
    await new Promise((resolve) => setTimeout(resolve, ms));
    observer.disconnect();
    return seen;
  }, forMs);
  assert.equal(await Promise.race([watching, pause(forMs + 10_000, 'no answer')]), false, 'nothing is called saved');
}

function savingOf(page) {
  return page.locator('.connection').getAttribute('data-saving');
}

async function exported(server, name) {
  const answer = await fetch(`${server.origin}/api/docs/${encodeURIComponent(name)}/snapshot?format=text`);
  return answer.text();
}
