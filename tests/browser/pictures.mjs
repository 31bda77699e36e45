/**
 * Makes the pictures of docs/images/: `YDOCK_BIN=… node pictures.mjs`. To be looked at before they are committed.
 *
 * Not a test. The pages are those of a server of its own, with two or three people in them.
 */

import { fileURLToPath } from 'node:url';
import { boardOf } from './board-harness.mjs';
import { holdSockets, newPerson, saved, startBrowser, startServer } from './harness.mjs';

const NAME = 'river-trail';
const TEXT = `# River trail

A path along the river, from the **mill** to the *old bridge*. What is left to decide:

- [x] Walk the route once
- [ ] Choose where the signs stand
- [ ] Ask about the gate at the mill

| Stop | Kilometre | What is there |
|---|---|---|
| Mill | 0 | parking, water |
| Island | 2.5 | benches |
| Old bridge | 4 | bus |

> The meadow floods in spring: the path needs a boardwalk there.
`;

const server = await startServer();
const browser = await startBrowser();
try {
  await everything();
} finally {
  await browser.close();
  await server.stop();
}

async function everything() {
  const ada = await person('Ada', '#1d6fb8');
  const ben = await person('Ben', '#b3540c');
  await ada.open(server.documentUrl(NAME));
  await ben.open(server.documentUrl(NAME));
  await ada.editor.focus();
  await ada.page.keyboard.insertText(TEXT);
  await drawTrail(ada);
  await ben.board.click(560, 560);
  await ben.board.hover(470, 330);
  await ada.page.keyboard.press('Escape');
  await ben.type('\nThe signs are ordered');
  await ben.board.hover(470, 330);
  await saved(ada.page);
  await ada.page.getByText('Ben is typing…').waitFor();
  await picture(ada.page, 'document');
  await chat(ada, ben);
  await ada.page.getByRole('button', { name: 'Preview' }).click();
  await ada.page.emulateMedia({ colorScheme: 'dark' });
  await ada.board.hover(50, 560);
  await picture(ada.page, 'dark');
  await ada.page.emulateMedia({ colorScheme: 'light' });
  await ada.page.getByRole('button', { name: 'Share' }).click();
  await picture(ada.page, 'share');
  await ada.page.keyboard.press('Escape');
  await phone();
  await troubles(ada);
  await ada.page.goto(server.origin);
  await picture(ada.page, 'start');
}

async function chat(ada, ben) {
  const panelOf = ({ page }) => page.getByRole('complementary', { name: 'Chat' });
  for (const { page } of [ada, ben]) await page.getByRole('button', { name: /^Chat/ }).click();
  for (const [person, text] of [[ada, 'The signs are ordered?'], [ben, 'Yes, they come next week.']]) {
    await panelOf(person).getByRole('textbox').fill(text);
    await panelOf(person).getByRole('textbox').press('Enter');
    await panelOf(ada).getByText(text).waitFor();
  }
  await picture(ada.page, 'chat');
  for (const { page } of [ada, ben]) await page.getByRole('button', { name: 'Close the chat' }).click();
  await ben.board.hover(470, 330);
}

async function phone() {
  const cleo = await person('Cleo', '#2d7d46', { viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true });
  await cleo.open(server.documentUrl(NAME));
  await picture(cleo.page, 'phone-text');
  await cleo.page.getByTitle('Board alone').click();
  await cleo.page.waitForTimeout(300);
  await picture(cleo.page, 'phone-board');
  await cleo.leave();
}

async function troubles(ada) {
  const dora = await person('Dora', '#8a3ffc');
  const gate = await holdSockets(dora.page);
  await dora.open(server.documentUrl(NAME));
  await gate.block(1011);
  await dora.type('\nWritten on the train.');
  await dora.page.getByText('your changes are kept in this browser').first().waitFor();
  await picture(dora.page, 'offline');
  await dora.leave();
  const eli = await person('Eli', '#b3540c');
  await eli.open(`${server.documentUrl(NAME)}?view`);
  await picture(eli.page, 'read-only');
  await eli.leave();
  await server.deleteDocument(NAME);
  await ada.page.getByRole('heading', { name: 'This document was deleted' }).waitFor();
  await picture(ada.page, 'deleted');
}

/** The trail as a sketch: shapes, notes, a drawn river. */
async function drawTrail({ board, page }) {
  await board.tool('Pen');
  const [x, y] = await board.at(60, 470);
  await page.mouse.move(x, y);
  await page.mouse.down();
  for (let step = 0; step <= 60; step += 1) await page.mouse.move(x + step * 9, y - 40 + Math.sin(step / 8) * 36);
  await page.mouse.up();
  await board.press('Escape');
  const stops = [['Mill', 90], ['Island', 280], ['Old bridge', 470]];
  for (const [label, left] of stops) {
    await board.draw('Rectangle', [left, 300], [left + 110, 360]);
    await page.keyboard.press('Enter');
    await page.keyboard.insertText(label);
    await page.keyboard.press('Escape');
  }
  await board.press('Escape');
  for (const [from, to] of [[205, 275], [395, 465]]) await board.draw('Arrow', [from, 330], [to, 330]);
  await board.press('Escape');
  await board.tool('Sticky note');
  await board.click(150, 190);
  await page.keyboard.insertText('Gate: who has the key?');
  await page.keyboard.press('Escape');
  await board.press('Escape');
  await board.draw('Ellipse', [400, 130], [560, 220]);
  await page.keyboard.press('Enter');
  await page.keyboard.insertText('Meadow');
  await page.keyboard.press('Escape');
  await board.press('Escape');
}

async function person(name, colour, options = {}) {
  const made = await newPerson(browser, name, { colour, viewport: { width: 1280, height: 760 }, ...options });
  made.board = boardOf(made);
  return made;
}

async function picture(page, name) {
  await page.screenshot({ path: fileURLToPath(new URL(`../../docs/images/${name}.png`, import.meta.url)) });
}
