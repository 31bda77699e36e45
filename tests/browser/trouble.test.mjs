/** What people see, and keep, when the server goes away, comes back, or closes the document for good. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connected, eventually, eventuallyReads, holdSockets, newPerson, saved, says, screenshot, startBrowser, startServer } from './harness.mjs';

let browser;

before(async () => {
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
});

test('a killed server shows as reconnecting while typing goes on, and its restart brings everything together', async (t) => {
  let server = await startServer();
  t.after(() => server.stop());
  const ada = await newPerson(browser, 'Ada');
  const ben = await newPerson(browser, 'Ben', { colour: '#b3540c' });
  const url = server.documentUrl('killed');
  await Promise.all([ada.open(url), ben.open(url)]);
  await ada.type('Before. ');
  await eventuallyReads(ben, 'Before. ');
  await server.kill();
  await says(ada.page, 'Offline');
  await says(ben.page, 'Offline');
  await screenshot(ada.page, 'reconnecting');
  await ada.type('Ada offline. ');
  await ben.type('Ben offline. ');
  server = await startServer({ data: server.data, port: server.port });
  await Promise.all([connected(ada.page), connected(ben.page)]);
  await eventually(async () => {
    const text = await ada.text();
    assert.equal(text, await ben.text());
    for (const part of ['Before. ', 'Ada offline. ', 'Ben offline. ']) assert.ok(text.includes(part), `${text} has ${part}`);
    const exported = await fetch(`${server.origin}/api/docs/killed/snapshot?format=text`);
    assert.equal(await exported.text(), text);
  });
  await Promise.all([saved(ada.page), saved(ben.page)]);
  // Every other problem than the sockets that found no server would be one of the page.
  for (const { problems } of [ada, ben]) {
    assert.deepEqual(problems.filter((problem) => !/WebSocket|ERR_CONNECTION_REFUSED/.test(problem)), []);
  }
});

test('a server that stops in order says that it restarts', async (t) => {
  let server = await startServer();
  t.after(() => server.stop());
  const ada = await newPerson(browser, 'Ada');
  const gate = await holdSockets(ada.page);
  await ada.open(server.documentUrl('restart'));
  await gate.block(4503);
  await says(ada.page, 'The server is restarting');
  await ada.type('Meanwhile.');
  await says(ada.page, 'your changes are kept in this browser');
  gate.unblock();
  await saved(ada.page);
  await gate.block(1013);
  await says(ada.page, 'The server is full');
  gate.unblock();
  await saved(ada.page);
  assert.deepEqual(ada.problems, []);
});

test('who joins and leaves is said, but not at the own arrival and not when the connection comes back', async (t) => {
  const server = await startServer();
  t.after(() => server.stop());
  const ada = await newPerson(browser, 'Ada');
  const gate = await holdSockets(ada.page);
  const cleo = await newPerson(browser, 'Cleo');
  await cleo.open(server.documentUrl('arrivals'));
  await ada.open(server.documentUrl('arrivals'));
  const said = await everSaid(ada.page);
  const ben = await newPerson(browser, 'Ben');
  // Ada's page must have been calm for a while.
  await new Promise((resolve) => setTimeout(resolve, 3500));
  await ben.open(server.documentUrl('arrivals'));
  await ada.page.getByText('Ben joined', { exact: true }).waitFor();
  await ben.leave();
  await ada.page.getByText('Ben left', { exact: true }).waitFor();
  await gate.cut();
  await ada.page.locator('.connection[data-state="reconnecting"]').waitFor();
  await connected(ada.page);
  await new Promise((resolve) => setTimeout(resolve, 5000));
  assert.deepEqual(await said(), ['Ben joined', 'Ben left']);
  assert.deepEqual(ada.problems, []);
});

test('a page tells of its own presence only, and not of every move', async (t) => {
  const server = await startServer();
  t.after(() => server.stop());
  const ada = await newPerson(browser, 'Ada');
  const ben = await newPerson(browser, 'Ben');
  await Promise.all([ada.open(server.documentUrl('quiet')), ben.open(server.documentUrl('quiet'))]);
  await ben.type('A line to move in.');
  await eventuallyReads(ada, 'A line to move in.');
  const sent = { ada: [], ben: [] };
  ada.onFrameSent((frame) => frame[0] === 1 && sent.ada.push(frame));
  ben.onFrameSent((frame) => frame[0] === 1 && sent.ben.push(Date.now()));
  const started = Date.now();
  for (let move = 0; move < 100; move += 1) await ben.page.keyboard.press(move % 2 === 0 ? 'ArrowLeft' : 'ArrowRight');
  const took = Date.now() - started;
  await ada.page.locator('.remote-caret').waitFor({ state: 'attached' });
  assert.ok(sent.ben.length > 0, 'moves are told');
  assert.ok(sent.ben.length <= took / 40 + 2, `${sent.ben.length} messages in ${took} ms`);
  assert.deepEqual(sent.ada, [], 'what others do is not sent back');
});

test('after a restart people see each other again at once', async (t) => {
  let server = await startServer();
  t.after(() => server.stop());
  const ada = await newPerson(browser, 'Ada');
  const ben = await newPerson(browser, 'Ben');
  const url = server.documentUrl('seen-again');
  await Promise.all([ada.open(url), ben.open(url)]);
  const seenByAda = ada.page.getByRole('list', { name: 'People in this document' });
  await seenByAda.getByText('Ben').waitFor();
  await server.kill();
  await seenByAda.getByText('Ben').waitFor({ state: 'detached' });
  server = await startServer({ data: server.data, port: server.port });
  await Promise.all([connected(ada.page), connected(ben.page)]);
  // Without a newer clock it would take until the renewal of presence, up to 15 s.
  await seenByAda.getByText('Ben').waitFor({ timeout: 4000 });
  await ben.page.getByRole('list', { name: 'People in this document' }).getByText('Ada').waitFor({ timeout: 4000 });
});

test('who alone loses the connection sees the others again at once, and is seen', async (t) => {
  const server = await startServer();
  t.after(() => server.stop());
  const ada = await newPerson(browser, 'Ada');
  const ben = await newPerson(browser, 'Ben');
  // That of the document and that of the chat: who is in one of them is there.
  const cuts = [];
  await ada.page.routeWebSocket(/\/(yjs|socket\.io)\//, (socket) => {
    const upstream = socket.connectToServer();
    cuts.push(async () => {
      await upstream.close();
      await socket.close({ code: 1013, reason: 'try again later' });
    });
  });
  await Promise.all([ada.open(server.documentUrl('alone')), ben.open(server.documentUrl('alone'))]);
  const seenByAda = ada.page.getByRole('list', { name: 'People in this document' }).getByText('Ben');
  const seenByBen = ben.page.getByRole('list', { name: 'People in this document' }).getByText('Ada');
  await Promise.all([seenByAda.waitFor(), seenByBen.waitFor()]);
  const gone = Promise.all([seenByAda, seenByBen].map((person) => person.waitFor({ state: 'detached' })));
  await eventually(() => assert.equal(cuts.length, 2));
  await Promise.all(cuts.map((cut) => cut()));
  await gone;
  await Promise.all([seenByAda, seenByBen].map((person) => person.waitFor({ timeout: 4000 })));
  assert.deepEqual(ben.problems, []);
});

/** Collects what the note of arrivals ever says. */
async function everSaid(page) {
  await page.evaluate(() => {
    window.saidArrivals = [];
    const note = document.querySelector('.arrivals');
    new MutationObserver(() => note.textContent !== '' && window.saidArrivals.push(note.textContent)).observe(note, { childList: true });
  });
  return () => page.evaluate(() => window.saidArrivals);
}
