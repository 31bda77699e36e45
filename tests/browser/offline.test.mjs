/** What was typed is never lost: offline, over reloads, when the document is deleted, refused, or only to be read. */

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { connected, eventually, eventuallyReads, holdSockets, newPerson, saved, says, screenshot, startBrowser, startServer } from './harness.mjs';

const Y = createRequire(new URL('../../web-demo/package.json', import.meta.url))('yjs');

let browser;
let server;

before(async () => {
  browser = await startBrowser();
  server = await startServer({ settings: { YDOCK_STORE__MAX_UPDATE: '4KiB' } });
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test('what is written offline outlives a reload and reaches the server later', async () => {
  const ada = await newPerson(browser, 'Ada');
  const gate = await holdSockets(ada.page);
  await ada.open(server.documentUrl('offline'));
  await ada.type('Online. ');
  await saved(ada.page);
  await gate.block();
  await ada.type('Offline. ');
  await says(ada.page, 'your changes are kept in this browser');
  await screenshot(ada.page, 'offline');
  await ada.page.reload();
  await eventuallyReads(ada, 'Online. Offline. ');
  await ada.type('After the reload. ');
  await ada.page.reload();
  await eventuallyReads(ada, 'Online. Offline. After the reload. ');
  assert.equal(await ada.page.locator('.connection').getAttribute('data-saving'), 'kept');
  assert.equal(await exported('offline'), 'Online. ');
  gate.unblock();
  await saved(ada.page);
  assert.equal(await exported('offline'), 'Online. Offline. After the reload. ');
  assert.deepEqual(ada.problems, []);
});

test('the page opens with what it holds while the server is dead, and brings what was written to the next one', async (t) => {
  let own = await startServer();
  t.after(() => own.stop());
  const ada = await newPerson(browser, 'Ada');
  const url = own.documentUrl('dead');
  await ada.open(url);
  await ada.type('Alive. ');
  await saved(ada.page);
  await ada.page.evaluate(() => navigator.serviceWorker.ready);
  await own.kill();
  await ada.page.reload();
  await eventuallyReads(ada, 'Alive. ');
  await ada.type('Dead. ');
  await kept(ada.page);
  await ada.page.goto(own.origin);
  await ada.page.getByRole('link', { name: 'dead' }).click();
  await eventuallyReads(ada, 'Alive. Dead. ');
  await says(ada.page, 'your changes are kept in this browser');
  own = await startServer({ data: own.data, port: own.port });
  await saved(ada.page);
  const answer = await fetch(`${own.origin}/api/docs/dead/snapshot?format=text`);
  assert.equal(await answer.text(), 'Alive. Dead. ');
});

test('two tabs that were both offline lose nothing', async () => {
  const ada = await newPerson(browser, 'Ada');
  const gate = await holdSockets(ada.page.context());
  await ada.open(server.documentUrl('tabs-offline'));
  const second = await ada.page.context().newPage();
  await second.goto(server.documentUrl('tabs-offline'));
  await connected(second);
  await ada.type('Start. ');
  await saved(ada.page);
  await gate.block();
  await ada.type('First. ');
  await second.getByRole('textbox', { name: 'Text of the document' }).focus();
  await second.keyboard.type('Second. ');
  for (const page of [ada.page, second]) await kept(page);
  await second.close();
  await ada.page.reload();
  await eventually(async () => {
    const text = await ada.text();
    for (const part of ['Start. ', 'First. ', 'Second. ']) assert.ok(text.includes(part), text);
  });
  gate.unblock();
  await saved(ada.page);
  assert.equal(await exported('tabs-offline'), await ada.text());
});

test('a browser that keeps no copy says that the changes are in this tab only, and asks before leaving', async () => {
  const blocked = () => Object.defineProperty(window, 'indexedDB', { get: () => { throw new DOMException('denied', 'SecurityError'); } });
  const full = () => {
    IDBObjectStore.prototype.add = () => { throw new DOMException('full', 'QuotaExceededError'); };
  };
  for (const [name, trouble] of [['blocked', blocked], ['full', full]]) {
    const ada = await newPerson(browser, 'Ada');
    await ada.page.addInitScript(trouble);
    const gate = await holdSockets(ada.page);
    await ada.open(server.documentUrl(`no-copy-${name}`));
    await ada.type('Online. ');
    await saved(ada.page);
    await gate.block();
    await ada.type('Only here.');
    await ada.page.getByRole('heading', { name: 'Keep this tab open' }).waitFor();
    assert.equal(await asksBeforeLeaving(ada.page), true, name);
    assert.deepEqual(ada.problems, [], name);
  }
});

test('leaving does not ask when everything is saved or kept', async () => {
  const ada = await newPerson(browser, 'Ada');
  const gate = await holdSockets(ada.page);
  await ada.open(server.documentUrl('leaving'));
  await gate.block();
  await ada.type('Kept here.');
  await kept(ada.page);
  await eventually(async () => assert.equal(await storedUpdates(ada.page, 'leaving') > 0, true));
  assert.equal(await asksBeforeLeaving(ada.page), false);
});

test('a deleted document can be kept as a new one, text and board', async () => {
  const ada = await newPerson(browser, 'Ada');
  const url = server.documentUrl('doomed');
  await write('doomed', (doc) => {
    const note = new Y.Map();
    doc.getMap('board').set('note', note);
    note.set('text', new Y.Text('on the board'));
    note.set('bytes', new Uint8Array([1, 2, 3]));
  });
  await ada.open(url);
  await ada.type('Not to be lost.');
  await saved(ada.page);
  await server.deleteDocument('doomed');
  const notice = ada.page.getByRole('alert').filter({ hasText: 'This document was deleted' });
  await notice.waitFor();
  await screenshot(ada.page, 'deleted');
  await notice.getByRole('button', { name: 'Keep a copy as a new document' }).click();
  await ada.page.waitForURL((address) => address.pathname !== new URL(url).pathname);
  await saved(ada.page);
  const name = await ada.page.getByRole('heading', { level: 1 }).textContent();
  assert.match(name, /^[a-z]+-[a-z]+-[a-z0-9]{6}$/);
  assert.equal(await ada.text(), 'Not to be lost.');
  const copy = await fetch(`${server.origin}/api/docs/${name}/snapshot?format=update`);
  const doc = new Y.Doc();
  Y.applyUpdate(doc, new Uint8Array(await copy.arrayBuffer()));
  assert.equal(doc.getText('text').toString(), 'Not to be lost.');
  const note = doc.getMap('board').get('note');
  assert.equal(note.get('text').toString(), 'on the board');
  assert.deepEqual(note.get('bytes'), new Uint8Array([1, 2, 3]));
  // The old name is free for something new.
  await ada.open(url);
  assert.equal(await ada.text(), '');
  assert.deepEqual(ada.problems, []);
});

test('who was away when the document was deleted is asked at every opening, until they decide', async () => {
  const ada = await newPerson(browser, 'Ada');
  const gate = await holdSockets(ada.page);
  await ada.open(server.documentUrl('deleted-meanwhile'));
  await ada.type('Mine.');
  await saved(ada.page);
  await ada.page.goto(server.origin);
  await server.deleteDocument('deleted-meanwhile');
  const notice = ada.page.getByRole('alert').filter({ hasText: 'This document was deleted' });
  for (let opening = 0; opening < 2; opening += 1) {
    await ada.page.goto(server.origin);
    const before = gate.opened;
    await ada.page.getByRole('link', { name: 'deleted-meanwhile' }).click();
    await notice.waitFor();
    assert.equal(await ada.text(), 'Mine.');
    // A loop would have opened the next socket within 200 ms.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    assert.equal(gate.opened, before + 1, 'no second try');
  }
  await notice.getByRole('button', { name: 'Discard' }).click();
  await notice.getByRole('button', { name: 'Discard for good' }).click();
  await ada.page.waitForURL(`${server.origin}/`);
  assert.equal(await ada.page.getByRole('link', { name: 'deleted-meanwhile' }).count(), 0);
  await ada.open(server.documentUrl('deleted-meanwhile'));
  assert.equal(await ada.text(), '');
  assert.deepEqual(ada.problems, []);
});

test('an edit that is too large stays here, is not tried in a loop, and can be undone', async () => {
  const ada = await newPerson(browser, 'Ada');
  const gate = await holdSockets(ada.page);
  await ada.open(server.documentUrl('large'));
  await ada.type('Small. ');
  await saved(ada.page);
  const large = 'large '.repeat(2000);
  await ada.page.keyboard.insertText(large);
  const notice = ada.page.getByRole('alert').filter({ hasText: 'This is too large to be saved' });
  await notice.waitFor();
  await screenshot(ada.page, 'too-large');
  const opened = gate.opened;
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.equal(gate.opened, opened, 'no second try');
  await ada.page.reload();
  await notice.waitFor();
  await eventually(async () => assert.equal((await ada.text()).length, 'Small. '.length + large.length));
  await ada.editor.focus();
  await ada.page.keyboard.press('Control+A');
  await ada.page.keyboard.insertText('Small again.');
  await eventuallyReads(ada, 'Small again.');
  await kept(ada.page, 'large');
  await notice.getByRole('button', { name: 'Try again' }).click();
  await saved(ada.page);
  await eventuallyReads(ada, 'Small again.');
  assert.equal(await exported('large'), 'Small again.');
  assert.deepEqual(ada.problems, []);
});

test('who looks on reads along and cannot write', async () => {
  const ada = await newPerson(browser, 'Ada');
  const ben = await newPerson(browser, 'Ben');
  await ada.open(server.documentUrl('looked-at'));
  await ada.type('Read me.');
  await ben.open(`${server.documentUrl('looked-at')}?view`);
  await eventuallyReads(ben, 'Read me.');
  await ben.page.getByRole('status').getByText('You can read this document, but not change it.').waitFor();
  await screenshot(ben.page, 'read-only');
  assert.equal(await ben.page.locator('.cm-content').getAttribute('contenteditable'), 'false');
  await ada.type(' More.');
  await eventuallyReads(ben, 'Read me. More.');
  for (const person of [ada, ben]) assert.deepEqual(person.problems, []);
});

test('edits from before the access was taken away are shown, told of, and can be kept', async () => {
  const ada = await newPerson(browser, 'Ada');
  const gate = await holdSockets(ada.page);
  await ada.open(server.documentUrl('taken-away'));
  await ada.type('Allowed. ');
  await saved(ada.page);
  await gate.block();
  await ada.type('Not allowed.');
  await kept(ada.page);
  gate.greeting = Buffer.from([2, 2, 8, ...Buffer.from('readonly')]);
  gate.updates.length = 0;
  gate.unblock();
  const notice = ada.page.getByRole('status').filter({ hasText: 'changes of yours from before' });
  await notice.waitFor();
  await connected(ada.page);
  await screenshot(ada.page, 'unsavable');
  assert.deepEqual(gate.updates, [], 'nothing was sent that would be refused');
  assert.equal(await ada.page.locator('.cm-content').getAttribute('contenteditable'), 'false');
  assert.equal(await ada.text(), 'Allowed. Not allowed.');
  gate.greeting = undefined;
  await notice.getByRole('button', { name: 'Keep a copy as a new document' }).click();
  await ada.page.waitForURL((address) => !address.pathname.endsWith('taken-away'));
  await saved(ada.page);
  assert.equal(await ada.text(), 'Allowed. Not allowed.');
  assert.equal(await exported('taken-away'), 'Allowed. ');
  assert.deepEqual(ada.problems, []);
});

async function kept(page) {
  await page.locator('.connection[data-saving="kept"], .connection[data-saving="closed"]').waitFor();
}

/** What the page's dialog says when it is about to be closed. */
async function asksBeforeLeaving(page) {
  const asked = new Promise((resolve) => {
    page.once('close', () => resolve(false));
    page.once('dialog', (dialog) => {
      resolve(dialog.type() === 'beforeunload');
      void dialog.accept();
    });
  });
  await page.close({ runBeforeUnload: true });
  return asked;
}

/** How many updates the browser has stored of a document. */
function storedUpdates(page, name) {
  return page.evaluate(
    (database) =>
      new Promise((resolve, reject) => {
        const request = indexedDB.open(database);
        request.onerror = () => reject(request.error);
        request.onsuccess = () => {
          const count = request.result.transaction('updates').objectStore('updates').count();
          count.onsuccess = () => {
            request.result.close();
            resolve(count.result);
          };
        };
      }),
    `ydock:${name}`,
  );
}

async function write(name, change) {
  const doc = new Y.Doc();
  change(doc);
  const answer = await fetch(`${server.origin}/api/docs/${name}/updates`, { method: 'POST', body: Y.encodeStateAsUpdate(doc) });
  assert.ok(answer.ok, `writing answered ${answer.status}`);
}

async function exported(name) {
  const answer = await fetch(`${server.origin}/api/docs/${encodeURIComponent(name)}/snapshot?format=text`);
  return answer.text();
}
