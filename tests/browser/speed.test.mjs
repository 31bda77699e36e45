/**
 * The page stays smooth: what it paints first, how frames come with 2000 shapes while somebody else moves 50 of them.
 *
 * Machines differ and are busy; the bounds are such that only a page that became slow misses them, and the figures are
 * printed beside.
 */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { boardOf, eventuallySame, storedShapes } from './board-harness.mjs';
import { eventually, newPerson, saved, screenshot, startBrowser, startServer } from './harness.mjs';
import { largeBoard } from './large-board.mjs';

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

test('2000 shapes: frames come smoothly while another page moves 50 of them, and while the view moves', async (t) => {
  const name = 'large';
  const answer = await fetch(`${server.origin}/api/docs/${name}/updates`, { method: 'POST', body: largeBoard({ shapes: 2000, movable: 50 }) });
  assert.equal(answer.status, 200);
  const [ada, ben] = await Promise.all(['Ada', 'Ben'].map((person) => openBoard(person, name)));
  const before = await storedShapes(server, name);
  // All is in view at first. The movable ones lie in a corner of their own, the lowest of all at its beginning.
  await ben.board.press('v');
  await ben.board.press('Enter');
  const lowest = await ben.page.locator('.selection-frame').boundingBox();
  const [x, y] = await ben.board.at(0, 0);
  const [left, top] = [lowest.x - x, lowest.y - y];
  const zoom = Number(/\d+/.exec(await ben.page.locator('.zoom-level').textContent())[0]) / 100;
  await ben.board.press('Escape');
  await ben.board.drag([left - 8, top - 8], [left + 640 * zoom, top + 330 * zoom]);
  await eventually(async () => assert.match(await ben.board.surface.getByRole('status').textContent(), /^50 selected/));
  const [watching, moving] = await Promise.all([
    framesDuring(ada.page, () => moveAbout(ben, [left + 20 * zoom, top + 20 * zoom])),
    framesDuring(ben.page, () => ada.page.waitForTimeout(3000)),
  ]);
  await saved(ben.page);
  const moved = (await storedShapes(server, name)).filter(({ position }, at) => position[0] !== before[at].position[0]);
  assert.equal(moved.length, 50, 'the other page moved what was selected');
  const panning = await framesDuring(ada.page, async () => {
    await ada.board.hover(400, 300);
    for (let step = 0; step < 120; step += 1) await ada.page.mouse.wheel(Math.sin(step / 6) * 30, Math.cos(step / 6) * 30);
  });
  await screenshot(ada.page, 'large-board');
  t.diagnostic(`watching ${told(watching)}`);
  t.diagnostic(`moving ${told(moving)}`);
  t.diagnostic(`panning ${told(panning)}`);
  for (const frames of [watching, moving, panning]) assert.ok(frames.median < 34, told(frames));
  assert.deepEqual([...ada.problems, ...ben.problems], []);
  await eventuallySame(ada.board, ben.board);
});

test('the first paint comes soon, and nothing jumps while the page fills', async (t) => {
  const name = 'paint';
  const ada = await newPerson(browser, 'Ada');
  const body = largeBoard({ shapes: 200, movable: 10 });
  assert.equal((await fetch(`${server.origin}/api/docs/${name}/updates`, { method: 'POST', body })).status, 200);
  await ada.page.addInitScript(() => {
    window.shift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) window.shift += entry.value;
    }).observe({ type: 'layout-shift', buffered: true });
  });
  for (const address of [server.documentUrl(name), server.origin]) {
    await ada.page.goto(address);
    await ada.page.getByRole('heading', { level: 1 }).waitFor();
    await ada.page.waitForLoadState('networkidle');
    const { paint, shift } = await ada.page.evaluate(() => ({
      paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
      shift: window.shift,
    }));
    t.diagnostic(`${new URL(address).pathname}: first paint after ${Math.round(paint)} ms, layout shift ${shift.toFixed(3)}`);
    assert.ok(paint < 1000, `the first paint came after ${paint} ms`);
    assert.ok(shift < 0.02, `the layout shifted by ${shift}`);
  }
});

async function openBoard(name, document) {
  const person = await newPerson(browser, name);
  await person.page.addInitScript(() => localStorage.setItem('ydock.panes', '"board"'));
  await person.open(server.documentUrl(document));
  person.board = boardOf(person);
  return person;
}

/** Moves what lies at a place around in circles for some three seconds. */
async function moveAbout({ board, page }, [x, y]) {
  await board.hover(x, y);
  await page.mouse.down();
  const until = Date.now() + 3000;
  for (let step = 0; Date.now() < until; step += 1) {
    await board.hover(x + 40 + Math.sin(step / 10) * 40, y + 60 + Math.cos(step / 10) * 60);
  }
  await page.mouse.up();
}

/** The times between frames while `work` goes on, in milliseconds. */
async function framesDuring(page, work) {
  await page.evaluate(() => {
    window.frames_ = [];
    let last;
    const frame = (now) => {
      if (last !== undefined) window.frames_.push(now - last);
      last = now;
      window.nextFrame_ = requestAnimationFrame(frame);
    };
    window.nextFrame_ = requestAnimationFrame(frame);
  });
  await work();
  const times = await page.evaluate(() => {
    cancelAnimationFrame(window.nextFrame_);
    return window.frames_;
  });
  const sorted = times.toSorted((a, b) => a - b);
  return { count: sorted.length, median: sorted[Math.floor(sorted.length / 2)], p95: sorted[Math.floor(sorted.length * 0.95)] };
}

function told({ count, median, p95 }) {
  return `${count} frames: median ${median.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms`;
}
