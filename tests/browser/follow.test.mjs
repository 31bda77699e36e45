/** Follow mode, and three people in one document. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { boardOf, eventuallySame } from './board-harness.mjs';
import { eventually, newPerson, saved, screenshot, startBrowser, startServer } from './harness.mjs';

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

test('who follows sees what the other sees of text and board, until they look elsewhere themselves', async () => {
  const { ada, ben } = await inOneDocument('followed', ['Ada', 'Ben']);
  await ben.editor.focus();
  await ben.page.keyboard.insertText(Array.from({ length: 300 }, (_, line) => `line ${line}`).join('\n'));
  await wheel(ben, '.cm-scroller', -50_000);
  await eventually(async () => assert.equal(await scrolled(ben), 0));
  const follow = ada.page.getByRole('list', { name: 'People in this document' }).getByRole('button', { name: 'Ben' });
  await follow.click();
  const note = ada.page.getByRole('status').getByText('Following Ben');
  await note.waitFor();
  assert.equal(await follow.getAttribute('aria-pressed'), 'true');
  await wheel(ben, '.cm-scroller', 2000);
  await eventually(async () => {
    const [there, here] = [await scrolled(ben), await scrolled(ada)];
    assert.ok(there > 1500, `the other scrolled by ${there}`);
    assert.ok(Math.abs(there - here) < 60, `${here} and not ${there}`);
  });
  await wheel(ben, '.surface', 900);
  await ben.board.hover(200, 200);
  await eventually(async () => {
    const pointer = await ada.page.locator('.peer-pointer').boundingBox();
    const surface = await ada.board.surface.boundingBox();
    const [x, y] = [pointer.x - surface.x, pointer.y - surface.y];
    assert.ok(Math.hypot(x - 200, y - 200) < 10, `the pointer of the other is at ${x}, ${y}`);
  });
  await screenshot(ada.page, 'following');
  // An own look at either side ends it; what the other does then moves nothing here.
  await wheel(ada, '.cm-scroller', -300);
  await note.waitFor({ state: 'hidden' });
  assert.equal(await follow.getAttribute('aria-pressed'), 'false');
  const own = await scrolled(ada);
  await wheel(ben, '.cm-scroller', -5000);
  await eventually(async () => assert.equal(await scrolled(ben), 0));
  await eventually(async () => assert.equal(await scrolled(ada), own));
  await follow.click();
  await note.waitFor();
  await wheel(ada, '.surface', 300);
  await note.waitFor({ state: 'hidden' });
  // Whoever is followed may leave.
  await follow.click();
  await note.waitFor();
  await ben.leave();
  await note.waitFor({ state: 'hidden' });
  assert.deepEqual(ada.problems, []);
});

test('two who follow each other rest where they are', async () => {
  const { ada, ben } = await inOneDocument('each-other', ['Ada', 'Ben'], { Ben: { viewport: { width: 1000, height: 900 } } });
  await ada.editor.focus();
  await ada.page.keyboard.insertText(Array.from({ length: 300 }, (_, line) => `line ${line}`).join('\n'));
  // What was typed has scrolled; a later scroll would count as a look elsewhere.
  await eventually(async () => assert.ok((await scrolled(ada)) > 1000));
  await wheel(ben, '.cm-scroller', 3000);
  await eventually(async () => assert.ok((await scrolled(ben)) > 1000));
  for (const [one, other] of [[ada, 'Ben'], [ben, 'Ada']]) {
    await one.page.getByRole('list', { name: 'People in this document' }).getByRole('button', { name: other }).click();
    await one.page.getByText(`Following ${other}`).waitFor();
  }
  const places = async () => [await scrolled(ada), await scrolled(ben), await zoom(ada), await zoom(ben)];
  let before = await places();
  await eventually(async () => {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const now = await places();
    const last = before;
    before = now;
    assert.deepEqual(now, last, 'nothing moves any more');
  });
  for (const person of [ada, ben]) assert.ok(Number.parseInt(await zoom(person), 10) > 50, await zoom(person));
});

test('a follower who has only the text open is shown the board when the other goes there', async () => {
  const { ada, ben } = await inOneDocument('to-the-board', ['Ada', 'Ben']);
  await ben.board.draw('Rectangle', [100, 100], [200, 200]);
  await ada.page.getByTitle('Text alone').click();
  await ada.board.surface.waitFor({ state: 'hidden' });
  await ben.editor.focus();
  await ada.page.getByRole('list', { name: 'People in this document' }).getByRole('button', { name: 'Ben' }).click();
  await ada.page.getByText('Following Ben').waitFor();
  await ben.board.click(400, 400);
  await ada.board.surface.waitFor();
  assert.deepEqual(ada.problems, []);
});

test('three people write and draw in one document, one leaves, and all agree', async () => {
  const name = 'three';
  const { ada, ben, cleo } = await inOneDocument(name, ['Ada', 'Ben', 'Cleo']);
  const people = [ada, ben, cleo];
  await Promise.all(people.map(async ({ board, page, editor }, at) => {
    for (let round = 0; round < 5; round += 1) {
      await board.draw(['Rectangle', 'Ellipse', 'Pen'][at], [90 + at * 130, 90 + round * 70], [180 + at * 130, 140 + round * 70]);
      await editor.focus();
      await page.keyboard.press('Control+End');
      await page.keyboard.type(`${at}${round} `);
    }
  }));
  await Promise.all(people.map(({ page }) => saved(page)));
  await eventually(async () => {
    const texts = await Promise.all(people.map((person) => person.text()));
    assert.equal(new Set(texts).size, 1, texts.join('\n'));
    assert.equal([...texts[0].matchAll(/\d/g)].length, 30, texts[0]);
  });
  const picture = await eventuallySame(...people.map(({ board }) => board));
  assert.equal(picture.match(/<(?:rect|ellipse|path) /g).length >= 15, true);
  for (const { page } of people) {
    const seen = page.getByRole('list', { name: 'People in this document' }).getByRole('listitem');
    await eventually(async () => assert.equal(await seen.count(), 3));
  }
  await screenshot(ada.page, 'three');
  await cleo.leave();
  for (const { page } of [ada, ben]) {
    const seen = page.getByRole('list', { name: 'People in this document' }).getByRole('listitem');
    await eventually(async () => assert.equal(await seen.count(), 2));
    await eventually(async () => assert.equal(await page.locator('.peer-pointer').count(), 1));
  }
  for (const { problems } of [ada, ben]) assert.deepEqual(problems, []);
});

async function inOneDocument(name, names, options = {}) {
  const colours = ['#1d6fb8', '#b3540c', '#2d7d46'];
  const people = await Promise.all(names.map((person, at) => newPerson(browser, person, { colour: colours[at], ...options[person] })));
  for (const person of people) {
    await person.open(server.documentUrl(name));
    person.board = boardOf(person);
  }
  return Object.fromEntries(names.map((person, at) => [person.toLowerCase(), people[at]]));
}

async function wheel({ page }, selector, by) {
  await page.locator(selector).first().hover({ position: { x: 150, y: 150 } });
  await page.mouse.wheel(0, by);
}

function scrolled({ page }) {
  return page.locator('.cm-scroller').first().evaluate((scroller) => Math.round(scroller.scrollTop));
}

function zoom({ page }) {
  return page.locator('.zoom-level').textContent();
}
