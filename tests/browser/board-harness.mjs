/** What the tests of the whiteboard share: drawing as a person does, and reading what came of it. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { eventually } from './harness.mjs';

/** The board of a person's page. Coordinates are CSS pixels from the surface's left upper corner. */
export function boardOf(person) {
  const { page } = person;
  const surface = page.getByRole('application', { name: 'Whiteboard' });
  const at = async (x, y) => {
    const box = await surface.boundingBox();
    return [box.x + x, box.y + y];
  };
  const tools = page.getByRole('toolbar', { name: 'Board tools' });
  const style = page.getByRole('toolbar', { name: 'Style and arrangement' });
  const view = page.getByRole('toolbar', { name: 'View of the board' });
  const drag = async (from, to, { steps = 6, modifiers = [] } = {}) => {
    for (const key of modifiers) await page.keyboard.down(key);
    await page.mouse.move(...(await at(...from)));
    await page.mouse.down();
    await page.mouse.move(...(await at(...to)), { steps });
    await page.mouse.up();
    for (const key of modifiers) await page.keyboard.up(key);
  };
  return {
    surface,
    tools,
    style,
    view,
    at,
    drag,
    tool: (name) => tools.getByRole('button', { name, exact: true }).click(),
    click: async (x, y, options) => page.mouse.click(...(await at(x, y)), options),
    doubleClick: async (x, y) => page.mouse.dblclick(...(await at(x, y))),
    hover: async (x, y) => page.mouse.move(...(await at(x, y))),
    press: async (keys) => {
      await surface.focus();
      await page.keyboard.press(keys);
    },
    /** Draws with a tool and leaves the shape selected. */
    draw: async (tool, from, to) => {
      await tools.getByRole('button', { name: tool, exact: true }).click();
      await drag(from, to);
    },
    /** Chooses a style value in its panel. */
    choose: async (group, value) => {
      await style.locator('summary', { has: page.locator(':scope') }).and(page.getByLabel(new RegExp(`^${group}`))).click();
      await style.getByTitle(value, { exact: true }).click();
      await page.keyboard.press('Escape');
    },
    writing: page.getByRole('textbox', { name: 'Text of the shape' }),
    /** The picture that the page exports, which is what it shows. */
    svg: async () => (await exported(page, 'Board as SVG')).toString(),
    png: () => exported(page, 'Board as PNG'),
  };
}

/** The shapes by the server's export, from the lowest to the highest. */
export async function storedShapes(server, name) {
  const answer = await fetch(`${server.origin}/api/docs/${encodeURIComponent(name)}/snapshot?format=json&types=board:map`);
  if (answer.status === 404) return [];
  assert.equal(answer.status, 200);
  const { board = {} } = await answer.json();
  return Object.entries(board)
    .map(([id, fields]) => ({ id, ...fields }))
    .sort((a, b) => (a.order === b.order ? (a.id < b.id ? -1 : 1) : a.order < b.order ? -1 : 1));
}

/** Waits until the server has as many shapes, and gives them. */
export function eventuallyStored(server, name, count) {
  return eventually(async () => {
    const shapes = await storedShapes(server, name);
    assert.equal(shapes.length, count, `${shapes.length} shapes are stored`);
    return shapes;
  });
}

export async function eventuallySame(...boards) {
  return eventually(async () => {
    const [first, ...others] = await Promise.all(boards.map((board) => board.svg()));
    for (const other of others) assert.equal(other, first);
    return first;
  });
}

async function exported(page, item) {
  await page.locator('summary', { hasText: 'Export' }).click();
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: item }).click();
  return readFile(await (await download).path());
}
