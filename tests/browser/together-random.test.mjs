/** Two pages write and draw at once, one of them offline for a while, and agree in the end; and how soon they see each other. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { boardOf, eventuallySame } from './board-harness.mjs';
import { connected, eventually, holdSockets, newPerson, saved, screenshot, startBrowser, startServer } from './harness.mjs';

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

test('after 500 random operations each, one of them offline in between, both pages and the server agree', async () => {
  const name = 'random';
  const ada = await newPerson(browser, 'Ada');
  const ben = await newPerson(browser, 'Ben', { colour: '#b3540c' });
  const line = await holdSockets(ben.page);
  for (const person of [ada, ben]) {
    await person.open(server.documentUrl(name));
    person.board = boardOf(person);
  }
  const done = { ada: 0, ben: 0 };
  const adaWorks = operate(ada, seeded(1), OPERATIONS, () => (done.ada += 1));
  const benWorks = (async () => {
    const random = seeded(2);
    await operate(ben, random, OPERATIONS / 4, () => (done.ben += 1));
    await line.block();
    await ben.page.locator('.connection:not([data-state="connected"])').waitFor();
    await operate(ben, random, OPERATIONS / 2, () => (done.ben += 1));
    line.unblock();
    await connected(ben.page);
    await operate(ben, random, OPERATIONS / 4, () => (done.ben += 1));
  })();
  await Promise.all([adaWorks, benWorks]);
  assert.deepEqual(done, { ada: OPERATIONS, ben: OPERATIONS });
  await Promise.all([saved(ada.page), saved(ben.page)]);
  await eventuallySame(ada.board, ben.board);
  await eventually(async () => {
    const text = await ada.text();
    assert.equal(await ben.text(), text);
    const stored = await fetch(`${server.origin}/api/docs/${name}/snapshot?format=json&types=text:text,board:map`);
    const { text: storedText, board } = await stored.json();
    assert.equal(storedText, text);
    // What both drew is there, not an empty board on which they agree.
    assert.ok(Object.keys(board).length > 20, `${Object.keys(board).length} shapes`);
    assert.ok(text.length > 200, `${text.length} letters`);
  });
  await screenshot(ada.page, 'random');
  assert.deepEqual(ada.problems, []);
});

test('pointers and typing are seen within 200 ms', async (t) => {
  const ada = await newPerson(browser, 'Ada');
  const ben = await newPerson(browser, 'Ben', { colour: '#b3540c' });
  for (const person of [ada, ben]) {
    await person.open(server.documentUrl('soon'));
    person.board = boardOf(person);
  }
  await ada.board.hover(100, 100);
  await ben.page.locator('.peer-pointer').waitFor();
  const pointers = [];
  for (let at = 0; at < 20; at += 1) {
    const seen = ben.page.evaluate(nextChange, { selector: '.peer-pointer', attribute: 'style' });
    await ben.page.evaluate(() => undefined);
    const moved = Date.now();
    await ada.board.hover(120 + at * 10, 150 + (at % 5) * 20);
    pointers.push((await seen) - moved);
  }
  const letters = [];
  await ada.editor.focus();
  for (let at = 0; at < 20; at += 1) {
    const seen = ben.page.evaluate(nextChange, { selector: '.cm-content' });
    await ben.page.evaluate(() => undefined);
    const typed = Date.now();
    await ada.page.keyboard.press('x');
    letters.push((await seen) - typed);
  }
  await ben.page.getByText('Ada is typing…').waitFor({ state: 'detached' });
  // One member is spoken of once a second at most, and was just now.
  await ben.page.waitForTimeout(1200);
  const note = ben.page.evaluate(nextChange, { selector: '.typing' });
  const typed = Date.now();
  await ada.page.keyboard.press('y');
  const noteAfter = (await note) - typed;
  t.diagnostic(`pointer ${summary(pointers)}, letter ${summary(letters)}, typing note ${noteAfter} ms`);
  assert.ok(median(pointers) < 200, `pointers: ${pointers}`);
  assert.ok(median(letters) < 200, `letters: ${letters}`);
  assert.ok(noteAfter < 200, `the note came after ${noteAfter} ms`);
});

/** Runs in a page: resolves with the time of the next change in or at an element. */
function nextChange({ selector, attribute }) {
  return new Promise((resolve) => {
    const observer = new MutationObserver(() => {
      observer.disconnect();
      resolve(Date.now());
    });
    const what = attribute === undefined ? { childList: true, characterData: true, subtree: true } : { attributes: true, attributeFilter: [attribute] };
    observer.observe(document.querySelector(selector), what);
  });
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

function summary(values) {
  return `median ${median(values)} ms, slowest ${Math.max(...values)} ms`;
}

/** Runs `count` random operations through the page, as quickly as it takes them. */
async function operate(person, random, count, onDone) {
  for (let at = 0; at < count; at += 1) {
    await OPERATION_KINDS[random(OPERATION_KINDS.length)](person, random);
    onDone();
  }
}

const OPERATIONS = 500;
const TOOL_KEYS = ['r', 'o', 'l', 'a', 'p', 'e'];
const WORDS = ['river ', 'stone ', '**bold** ', '- item\n', '🦦 ', '# Head\n'];

const type = async ({ page, editor }, random) => {
  await editor.focus();
  if (random(3) === 0) await page.keyboard.press(['Control+Home', 'Control+End', 'ArrowUp', 'ArrowLeft'][random(4)]);
  await page.keyboard.insertText(WORDS[random(WORDS.length)]);
};
const remove = async ({ page, editor }, random) => {
  await editor.focus();
  for (let presses = random(4); presses >= 0; presses -= 1) await page.keyboard.press('Backspace');
};
const draw = async ({ board, page }, random) => {
  await board.surface.focus();
  await page.keyboard.press(TOOL_KEYS[random(TOOL_KEYS.length)]);
  const [x, y] = [80 + random(400), 100 + random(380)];
  await board.drag([x, y], [x + 10 + random(120), y + 10 + random(90)], { steps: 2 });
};
const addNote = async ({ board, page }, random) => {
  await board.surface.focus();
  await page.keyboard.press('n');
  await page.keyboard.press('Enter');
  await page.keyboard.insertText(WORDS[random(WORDS.length)]);
  await page.keyboard.press('Escape');
};
const move = async ({ board, page }, random) => {
  await board.surface.focus();
  await page.keyboard.press('v');
  const [x, y] = [80 + random(400), 100 + random(380)];
  await board.drag([x, y], [x + random(100) - 50, y + random(100) - 50], { steps: 2 });
};
const nudge = async ({ board, page }, random) => {
  await board.surface.focus();
  await page.keyboard.press('v');
  await page.keyboard.press('Enter');
  await page.keyboard.press(['Shift+ArrowRight', 'Shift+ArrowDown', '.', 'Control+d', 'Control+]', 'Control+['][random(6)]);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
};
const undo = async ({ board, page }, random) => {
  await board.surface.focus();
  await page.keyboard.press(random(3) === 0 ? 'Control+Shift+z' : 'Control+z');
};
const OPERATION_KINDS = [type, type, type, remove, draw, draw, draw, draw, addNote, move, nudge, undo];

/** Whole numbers below `most`, the same at every run. */
function seeded(seed) {
  let state = seed * 7919;
  return (most) => {
    state = (state * 48271) % 2147483647;
    return state % most;
  };
}
