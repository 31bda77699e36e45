/** The pages themselves: the start page, exports, what they load, small screens, dark mode. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
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

test('no request leaves the host, and the page keeps a strict content security policy', async () => {
  const ada = await newPerson(browser, 'Ada');
  const ben = await newPerson(browser, 'Ben');
  for (const person of [ada, ben]) {
    // To Chromium an answered request has no address of its own, so that the socket counts as a step into a local network.
    await person.page.context().grantPermissions(['local-network-access']);
    // Stricter or equal to what the server sends: the page itself must not need more.
    await person.page.route('**/*', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, headers: { ...response.headers(), 'content-security-policy': STRICT_POLICY } });
    });
    await person.open(server.documentUrl('strict'));
  }
  await ada.type('# Title\n\n- *item* `code` [link](https://example.org/picture.png)\n- ![picture](https://example.org/picture.png)');
  await eventually(async () => assert.equal(await ben.text(), await ada.text()));
  await ada.page.getByTitle('Change your name and colour').click();
  await ada.page.getByRole('button', { name: 'Cancel' }).click();
  await ada.page.getByRole('button', { name: 'Copy link' }).click();
  const { host } = new URL(server.origin);
  for (const person of [ada, ben]) {
    assert.ok(person.requests.some((url) => url.startsWith('ws:')), 'the socket was seen');
    assert.deepEqual(person.requests.filter((url) => new URL(url).host !== host), []);
    assert.deepEqual(person.problems, []);
  }
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
  await ada.page.getByText('Export', { exact: true }).click();
  await assertNoHorizontalScroll(ada.page);
  await screenshot(ada.page, 'phone-export');
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

const STRICT_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self' ws: wss:";
