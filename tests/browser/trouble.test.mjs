/** What people see, and keep, when the server goes away, comes back, or closes the document for good. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connected, eventually, eventuallyReads, newPerson, screenshot, startBrowser, startServer } from './harness.mjs';

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
  await ada.page.getByText('Offline, reconnecting…').waitFor();
  await ben.page.getByText('Offline, reconnecting…').waitFor();
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
  let cut;
  await ada.page.routeWebSocket(/\/yjs\//, (socket) => {
    const upstream = socket.connectToServer();
    cut = async () => {
      await upstream.close();
      await socket.close({ code: 1013, reason: 'try again later' });
    };
  });
  await Promise.all([ada.open(server.documentUrl('alone')), ben.open(server.documentUrl('alone'))]);
  const seenByAda = ada.page.getByRole('list', { name: 'People in this document' }).getByText('Ben');
  const seenByBen = ben.page.getByRole('list', { name: 'People in this document' }).getByText('Ada');
  await Promise.all([seenByAda.waitFor(), seenByBen.waitFor()]);
  const gone = Promise.all([seenByAda, seenByBen].map((person) => person.waitFor({ state: 'detached' })));
  await cut();
  await gone;
  await Promise.all([seenByAda, seenByBen].map((person) => person.waitFor({ timeout: 4000 })));
  assert.deepEqual(ben.problems, []);
});

test('leaving with edits that were never sent asks first', async (t) => {
  const server = await startServer();
  t.after(() => server.stop());
  const ada = await newPerson(browser, 'Ada');
  await ada.open(server.documentUrl('unsent'));
  await server.kill();
  await ada.page.getByText('Offline, reconnecting…').waitFor();
  await ada.type('Only here.');
  const asked = new Promise((resolve) => {
    ada.page.once('close', () => resolve('closed without asking'));
    ada.page.once('dialog', (dialog) => {
      resolve(dialog.type());
      void dialog.accept();
    });
  });
  await ada.page.close({ runBeforeUnload: true });
  assert.equal(await asked, 'beforeunload');
});

test('a deleted document says so, keeps its text to copy, and takes no more', async (t) => {
  const server = await startServer();
  t.after(() => server.stop());
  const ada = await newPerson(browser, 'Ada');
  await ada.open(server.documentUrl('deleted'));
  await ada.type('Last words.');
  await eventually(async () => {
    const exported = await fetch(`${server.origin}/api/docs/deleted/snapshot?format=text`);
    assert.equal(await exported.text(), 'Last words.');
  });
  const answer = await server.deleteDocument('deleted');
  assert.ok(answer.ok, `DELETE answered ${answer.status}`);
  await ada.page.getByRole('alert').getByText('This document was deleted').waitFor();
  await screenshot(ada.page, 'deleted');
  assert.equal(await ada.page.locator('.cm-content').getAttribute('contenteditable'), 'false');
  assert.equal(await ada.text(), 'Last words.');
  assert.deepEqual(ada.problems, []);
  await ada.page.goto(server.origin);
  assert.equal(await ada.page.getByRole('link', { name: 'deleted' }).count(), 0);
});
