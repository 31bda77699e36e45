/** The pages themselves: the start page, exports, what they load, small screens, dark mode. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { boardOf } from './board-harness.mjs';
import { connected, eventually, newPerson, screenshot, startBrowser, startServer } from './harness.mjs';

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

test('the start page makes a new document and lists it afterwards', async () => {
  const ada = await newPerson(browser, 'Ada');
  await ada.page.goto(server.origin);
  await ada.page.getByRole('button', { name: 'New document' }).click();
  await connected(ada.page);
  const name = await ada.page.getByRole('heading', { level: 1 }).textContent();
  assert.match(name, /^[a-z]+-[a-z]+-[a-z0-9]{6}$/);
  await ada.page.getByRole('link', { name: 'Start page' }).click();
  await ada.page.getByRole('link', { name }).waitFor();
  await screenshot(ada.page, 'start');
  await ada.page.getByRole('button', { name: `Forget ${name}` }).click();
  await ada.page.getByText('Documents that you open appear here.').waitFor();
  assert.deepEqual(ada.problems, []);
});

test('the start page opens a document by any name, and says which names cannot be', async () => {
  const ada = await newPerson(browser, 'Ada');
  for (const name of ['team/notes 2026', 'a/../b', '100% Ü?#&=+', '/slashes//', 'notes.md']) {
    await ada.page.goto(server.origin);
    await ada.page.getByLabel('Open a document by its name').fill(name);
    await ada.page.getByRole('button', { name: 'Open' }).click();
    await connected(ada.page);
    assert.equal(await ada.page.getByRole('heading', { level: 1 }).textContent(), name);
  }
  await ada.page.goto(server.origin);
  await ada.page.getByLabel('Open a document by its name').fill('..');
  await ada.page.getByRole('button', { name: 'Open' }).click();
  await ada.page.getByText('A document cannot be called').waitFor();
  assert.deepEqual(ada.problems, []);
});

test('one document has one text, with its slash escaped in the address or not', async () => {
  const ada = await newPerson(browser, 'Ada');
  const ben = await newPerson(browser, 'Ben');
  await ada.open(`${server.origin}/d/team/plan`);
  await ben.open(`${server.origin}/d/team%2Fplan`);
  await ada.type('The same.');
  await eventually(async () => assert.equal(await ben.text(), 'The same.'));
});

test('the export links download what the document holds', async () => {
  const ada = await newPerson(browser, 'Ada');
  await ada.open(server.documentUrl('minutes/may'));
  await ada.type('# May\n');
  await eventually(async () => {
    const exported = await fetch(`${server.origin}/api/docs/minutes%2Fmay/snapshot?format=text`);
    assert.equal(await exported.text(), '# May\n');
  });
  for (const [link, file] of [['Text (Markdown)', 'minutes-may.md'], ['JSON', 'minutes-may.json'], ['Yjs update, for a backup', 'minutes-may.yjs']]) {
    await ada.page.getByText('Export', { exact: true }).click();
    const download = ada.page.waitForEvent('download');
    await ada.page.getByRole('link', { name: link }).click();
    assert.equal((await download).suggestedFilename(), file);
    const content = await readFile(await (await download).path());
    assert.ok(content.includes('# May'), `${link} holds the text`);
  }
});

test('no request leaves the host, and the strict content security policy is kept', async () => {
  const answer = await fetch(server.documentUrl('strict'));
  const policy = answer.headers.get('content-security-policy');
  assert.match(policy, /default-src 'self';.*script-src 'self';.*connect-src 'self'/);
  assert.doesNotMatch(policy, /unsafe|\*|https?:|wss?:/);
  const ada = await newPerson(browser, 'Ada');
  const ben = await newPerson(browser, 'Ben');
  for (const person of [ada, ben]) {
    await person.page.addInitScript(() => {
      window.violations = [];
      addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => window.violations.push(`${violatedDirective} ${blockedURI}`));
    });
    await person.open(server.documentUrl('strict'));
    person.board = boardOf(person);
  }
  await ada.type('# Title\n\n- *item* `code` [link](https://example.org/picture.png)\n- ![picture](https://example.org/picture.png)');
  await eventually(async () => assert.equal(await ben.text(), await ada.text()));
  await ada.page.getByRole('button', { name: 'Preview' }).click();
  await ada.board.draw('Rectangle', [100, 120], [200, 200]);
  await ada.board.draw('Pen', [100, 300], [200, 330]);
  await ada.board.tool('Sticky note');
  await ada.board.click(300, 400);
  await ada.page.keyboard.insertText('![x](https://example.org/x.png)');
  await ada.page.keyboard.press('Escape');
  await ada.page.evaluate(async () => {
    const canvas = new OffscreenCanvas(20, 20);
    canvas.getContext('2d').fillRect(0, 0, 20, 20);
    const data = new DataTransfer();
    data.items.add(new File([await canvas.convertToBlob()], 'x.png', { type: 'image/png' }));
    document.querySelector('.surface').dispatchEvent(new DragEvent('drop', { dataTransfer: data, clientX: 900, clientY: 500, bubbles: true, cancelable: true }));
  });
  await eventually(async () => assert.match(await ben.board.svg(), /<image /));
  assert.ok((await ada.board.png()).length > 100);
  await ada.page.getByTitle('Change your name and colour').click();
  await ada.page.getByRole('button', { name: 'Cancel' }).click();
  await ada.page.getByRole('button', { name: 'Share' }).click();
  await ada.page.getByRole('button', { name: 'Copy' }).first().click();
  await ada.page.keyboard.press('Escape');
  await ben.page.getByRole('list', { name: 'People in this document' }).getByText('Ada').click();
  await ben.page.getByText('Following Ada').waitFor();
  const { host } = new URL(server.origin);
  for (const person of [ada, ben]) {
    assert.ok(person.requests.some((url) => url.startsWith('ws:')), 'the socket was seen');
    assert.deepEqual(person.requests.filter((url) => !url.startsWith('blob:') && !url.startsWith('data:') && new URL(url).host !== host), []);
    assert.deepEqual(await person.page.evaluate(() => window.violations), []);
    assert.deepEqual(person.problems, []);
  }
});

test('the code of “connect your own client” connects a program to this very document', async () => {
  const ada = await newPerson(browser, 'Ada');
  await ada.open(server.documentUrl("it's 100% / our plan?"));
  await ada.type('Read me.');
  await ada.page.getByRole('button', { name: 'Share' }).click();
  const code = await ada.page.getByRole('region', { name: 'y-websocket code' }).textContent();
  await screenshot(ada.page, 'share');
  const folder = fileURLToPath(new URL('.', import.meta.url));
  const file = join(folder, `.own-client-${process.pid}.mjs`);
  // Node 20 has no WebSocket of its own; the program ends itself once it has answered.
  await writeFile(file, `import WebSocket from 'ws';\nglobalThis.WebSocket = WebSocket;\n${code}\nprovider.on('sync', () => setTimeout(() => process.exit(), 100));\n`);
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: folder, timeout: 20_000 });
    assert.match(stdout, /^Read me\. \{\}/);
  } finally {
    await rm(file);
  }
  const commands = await ada.page.getByRole('region', { name: 'curl commands' }).textContent();
  const addresses = [...commands.matchAll(/'(http[^']+)'/g)].map(([, address]) => address);
  const json = await (await fetch(addresses[0])).json();
  assert.equal(json.text, 'Read me.');
  const update = await (await fetch(addresses[1])).arrayBuffer();
  assert.equal((await fetch(addresses[2], { method: 'POST', body: update })).status, 200);
});

test('a phone 360 px wide has no horizontal scroll', async () => {
  const phone = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
  const ada = await newPerson(browser, 'Ada', phone);
  const others = await Promise.all(['Maximilian Featherstonehaugh', 'Bo', 'Chidi'].map((name) => newPerson(browser, name, { colour: '#7d4bc0' })));
  const url = server.documentUrl('a-rather-long-document-name-that-does-not-fit-on-a-phone');
  await Promise.all([ada, ...others].map((person) => person.open(url)));
  await ada.type(`# A heading that is long enough to wrap\n\n${'unbreakable'.repeat(12)}\n\nPlain words, *emphasis* and \`code\`.\n`);
  await others[0].type('Hello from a wide screen.');
  await eventually(async () => assert.equal(await ada.text(), await others[0].text()));
  await ada.page.getByText('is typing…').waitFor();
  await assertNoHorizontalScroll(ada.page);
  await screenshot(ada.page, 'phone');
  await screenshot(others[0].page, 'wide');
  await ada.page.getByLabel('Export').click();
  await assertNoHorizontalScroll(ada.page);
  await screenshot(ada.page, 'phone-export');
  await ada.page.keyboard.press('Escape');
  await ada.page.getByRole('button', { name: 'Board', exact: true }).click();
  await assertNoHorizontalScroll(ada.page);
  await screenshot(ada.page, 'phone-board');
  await ada.page.getByRole('button', { name: /^Chat/ }).click();
  await assertNoHorizontalScroll(ada.page);
  await screenshot(ada.page, 'phone-chat');
  await ada.page.getByRole('button', { name: 'Close the chat' }).click();
  await ada.page.goto(server.origin);
  await assertNoHorizontalScroll(ada.page);
  await screenshot(ada.page, 'phone-start');
});

test('dark mode follows the system', async () => {
  const ada = await newPerson(browser, 'Ada', { colorScheme: 'dark' });
  const ben = await newPerson(browser, 'Ben', { colour: '#b3540c' });
  await Promise.all([ada.open(server.documentUrl('dark')), ben.open(server.documentUrl('dark'))]);
  await ada.type('# Night\n\nSome **bold** words, a [link](https://example.org) and `code`.\n\n> Quoted.\n\n');
  await eventually(async () => assert.equal(await ben.text(), await ada.text()));
  await ben.type('Ben was here.');
  await ada.page.getByText('Ben is typing…').waitFor();
  await ben.page.keyboard.press('Shift+Home');
  await ada.page.locator('.remote-selection').waitFor();
  await screenshot(ada.page, 'dark');
  await screenshot(ben.page, 'light');
  const background = await ada.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.equal(background, 'rgb(20, 24, 28)');
  await ada.page.goto(server.origin);
  await screenshot(ada.page, 'dark-start');
});

async function assertNoHorizontalScroll(page) {
  const { content, window } = await page.evaluate(() => ({
    content: document.documentElement.scrollWidth,
    window: document.documentElement.clientWidth,
  }));
  assert.ok(content <= window, `the page is ${content} px wide in a window of ${window} px`);
}
