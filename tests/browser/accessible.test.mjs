/**
 * axe-core finds nothing serious or critical on any page, in any state, in light and in dark.
 *
 * With less motion, so that nothing is looked at while it fades.
 */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { boardOf } from './board-harness.mjs';
import { newPerson, saved, startBrowser, startServer } from './harness.mjs';

let server;
let browser;
let axeSource;

before(async () => {
  server = await startServer();
  browser = await startBrowser();
  axeSource = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

for (const colorScheme of ['light', 'dark']) {
  test(`the start page and the page of no document, ${colorScheme}`, async () => {
    const ada = await newPerson(browser, 'Ada', { colorScheme, ...STILL });
    await ada.open(server.documentUrl('recent one'));
    await ada.page.goto(server.origin);
    await ada.page.getByRole('link', { name: 'recent one' }).waitFor();
    await assertAccessible(ada.page, 'start');
    await ada.page.getByLabel('Open a document by its name').fill('..');
    await ada.page.getByRole('button', { name: 'Open' }).click();
    await ada.page.getByText('A document cannot be called').waitFor();
    await assertAccessible(ada.page, 'start with a problem');
    await ada.page.goto(`${server.origin}/d/..%2F..`).catch(() => undefined);
    await ada.page.goto(`${server.origin}/d/%00`);
    await assertAccessible(ada.page, 'not found');
  });

  test(`a document with text and board, its panels and dialogs, ${colorScheme}`, async () => {
    const { ada, ben } = await documentOfTwo(`all-${colorScheme}`, { colorScheme, ...STILL });
    await assertAccessible(ada.page, 'text and board');
    await ada.page.locator('summary', { hasText: 'Export' }).click();
    await assertAccessible(ada.page, 'export menu');
    await ada.page.keyboard.press('Escape');
    await ada.page.getByRole('button', { name: 'Share' }).click();
    await assertAccessible(ada.page, 'share');
    await ada.page.keyboard.press('Escape');
    await ada.page.getByTitle('Change your name and colour').click();
    await assertAccessible(ada.page, 'profile');
    await ada.page.keyboard.press('Escape');
    await ada.board.press('Control+a');
    await ada.board.style.locator('summary').and(ada.board.style.getByLabel(/^Colour/)).click();
    await assertAccessible(ada.page, 'colours');
    await ada.page.keyboard.press('Escape');
    await ada.page.getByRole('list', { name: 'People in this document' }).getByText('Ben').click();
    await ada.page.getByText('Following Ben').waitFor();
    await assertAccessible(ada.page, 'following');
    await ada.page.getByRole('button', { name: 'Preview' }).click();
    await assertAccessible(ada.page, 'preview');
    await ada.page.getByTitle('Text alone').click();
    await ada.page.getByRole('button', { name: 'Split' }).click();
    await ada.page.getByRole('button', { name: /^Heading: / }).click();
    await assertAccessible(ada.page, 'split preview and the menu of headings');
    await ada.page.keyboard.press('Escape');
    await ada.page.getByTitle('Board alone').click();
    await ada.board.press('?');
    await ada.page.getByRole('heading', { name: 'Keys of the board' }).waitFor();
    await assertAccessible(ada.page, 'keys of the board');
    await ada.page.keyboard.press('Escape');
    await ada.page.getByRole('button', { name: /^Chat/ }).click();
    await ada.page.getByRole('textbox', { name: 'Message' }).fill('Hello');
    await ada.page.getByRole('textbox', { name: 'Message' }).press('Enter');
    await ada.page.getByRole('log').getByText('Hello').waitFor();
    await assertAccessible(ada.page, 'chat');
    await ben.leave();
  });

  test(`a phone, ${colorScheme}`, async () => {
    const phone = { colorScheme, ...STILL, viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
    const { ada } = await documentOfTwo(`phone-${colorScheme}`, phone);
    await ada.page.getByRole('button', { name: 'Text', exact: true }).click();
    await assertAccessible(ada.page, 'text on a phone');
    await ada.page.getByRole('button', { name: 'Board', exact: true }).click();
    await assertAccessible(ada.page, 'board on a phone');
    await ada.page.getByRole('button', { name: /^Chat/ }).click();
    await ada.page.getByRole('log').waitFor();
    await assertAccessible(ada.page, 'chat on a phone');
  });

  test(`a document that was deleted, one to look on, and a server that is away, ${colorScheme}`, async (t) => {
    const own = await startServer();
    t.after(() => own.stop());
    const ada = await newPerson(browser, 'Ada', { colorScheme, ...STILL });
    await ada.open(own.documentUrl('gone'));
    await ada.type('Words');
    await saved(ada.page);
    await own.deleteDocument('gone');
    await ada.page.getByText('This document was deleted').waitFor();
    await assertAccessible(ada.page, 'deleted');
    await ada.page.goto(`${own.documentUrl('seen')}?view`);
    await ada.page.locator('.connection[data-state="connected"]').waitFor();
    await assertAccessible(ada.page, 'looking on');
    await own.kill();
    await ada.page.locator('.connection:not([data-state="connected"])').waitFor();
    await assertAccessible(ada.page, 'offline');
  });
}

const STILL = { reducedMotion: 'reduce' };

async function documentOfTwo(name, options) {
  const ada = await newPerson(browser, 'Ada', options);
  const ben = await newPerson(browser, 'Ben', { colour: '#b3540c' });
  for (const person of [ada, ben]) {
    await person.open(server.documentUrl(name));
    person.board = boardOf(person);
  }
  await ben.type('# Heading\n\n- [ ] a task\n- `code` and a [link](https://example.org)\n\n> quoted\n');
  await ben.board.draw('Rectangle', [100, 120], [200, 200]);
  await ben.board.hover(300, 300);
  return { ada, ben };
}

/** Fails with what axe says, where, and how to mend it. */
async function assertAccessible(page, state) {
  await page.evaluate(axeSource);
  const violations = await page.evaluate(async () => {
    const found = await window.axe.run(document, { resultTypes: ['violations'] });
    return found.violations.map(({ id, impact, help, nodes }) => ({ id, impact, help, where: nodes.map(({ html, failureSummary }) => `${html}\n${failureSummary}`) }));
  });
  const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  assert.deepEqual(grave, [], `axe-core on “${state}”`);
}
