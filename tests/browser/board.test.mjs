/** Every tool of the whiteboard, by pointer and by keys, and what the other page and the server make of it. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { boardOf, eventuallySame, eventuallyStored, storedShapes } from './board-harness.mjs';
import { eventually, newPerson, screenshot, startBrowser, startServer } from './harness.mjs';

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

test('each tool draws its shape, and the other page and the server have it', async () => {
  const name = 'tools';
  const { ada, ben } = await adaAndBen(name);
  await ada.board.draw('Rectangle', [120, 120], [240, 200]);
  await ada.board.draw('Ellipse', [300, 120], [420, 200]);
  await ada.board.draw('Line', [120, 240], [240, 280]);
  await ada.board.draw('Arrow', [300, 240], [420, 280]);
  await ada.board.draw('Pen', [120, 320], [240, 360]);
  await ada.board.tool('Sticky note');
  await ada.board.click(420, 420);
  await ada.page.keyboard.type('Remember the milk');
  await ada.page.keyboard.press('Escape');
  await ada.board.tool('Text');
  await ada.board.click(120, 440);
  await ada.page.keyboard.type('Two\nlines');
  await ada.page.keyboard.press('Escape');
  const shapes = await eventuallyStored(server, name, 7);
  assert.deepEqual(shapes.map(({ type }) => type), ['rectangle', 'ellipse', 'line', 'arrow', 'pen', 'note', 'text']);
  const [rectangle, , line, arrow, pen, note, text] = shapes;
  assert.deepEqual(rectangle.size, [120, 80]);
  assert.deepEqual(line.size, [120, 40]);
  assert.deepEqual(arrow.size, [120, 40]);
  assert.equal(pen.points.length % 3, 0);
  assert.ok(pen.points.length >= 12, `${pen.points.length} numbers for a stroke of six movements`);
  assert.deepEqual(pen.points.slice(-3), [1200, 400, 50]);
  assert.deepEqual([note.text, text.text], ['Remember the milk', 'Two\nlines']);
  const svg = await eventuallySame(ada.board, ben.board);
  assert.match(svg, />Remember the<.*>milk</);
  await screenshot(ada.page, 'board-tools');
  await assertClean(ada, ben);
});

test('a click with a tool adds a shape of the usual size and goes back to selecting', async () => {
  const { ada } = await adaAndBen('click-adds');
  await ada.board.tool('Rectangle');
  await ada.board.click(300, 300);
  const [shape] = await eventuallyStored(server, 'click-adds', 1);
  assert.deepEqual(shape.size, [160, 100]);
  assert.equal(await ada.board.tools.getByRole('button', { name: 'Select' }).getAttribute('aria-pressed'), 'true');
});

test('shapes are selected one by one, together and by a box, moved, duplicated and deleted', async () => {
  const name = 'selecting';
  const { ada, ben } = await adaAndBen(name);
  await ada.board.draw('Rectangle', [120, 120], [200, 180]);
  await ada.board.draw('Rectangle', [260, 120], [340, 180]);
  await ada.board.draw('Rectangle', [400, 120], [480, 180]);
  const before = await eventuallyStored(server, name, 3);
  await ada.board.click(120, 135);
  await ada.page.keyboard.down('Shift');
  await ada.board.click(260, 135);
  await ada.page.keyboard.up('Shift');
  await ada.board.drag([160, 150], [160, 330], { modifiers: ['Control'] });
  await eventually(async () => {
    const shapes = await storedShapes(server, name);
    assert.deepEqual(shapes.map(({ position }, at) => position[1] - before[at].position[1]), [180, 180, 0]);
    assert.deepEqual(shapes.map(({ position }, at) => position[0] - before[at].position[0]), [0, 0, 0]);
  });
  await ada.board.click(600, 500);
  await ada.board.drag([90, 90], [560, 420]);
  await ada.board.press('Control+d');
  const copies = await eventuallyStored(server, name, 6);
  assert.deepEqual(copies.slice(3).map(({ position }, at) => position[0] - copies[at].position[0]), [16, 16, 16]);
  await ada.board.press('Delete');
  await eventuallyStored(server, name, 3);
  await ada.board.press('Control+a');
  await ada.board.press('Backspace');
  await eventuallyStored(server, name, 0);
  await ada.board.press('Control+z');
  await eventuallyStored(server, name, 3);
  await eventuallySame(ada.board, ben.board);
  await assertClean(ada, ben);
});

test('dragging with Alt leaves the original and moves a copy', async () => {
  const name = 'alt-drag';
  const { ada } = await adaAndBen(name);
  await ada.board.draw('Ellipse', [120, 120], [200, 180]);
  await ada.board.drag([150, 150], [350, 150], { modifiers: ['Alt', 'Control'] });
  const [original, copy] = await eventuallyStored(server, name, 2);
  assert.deepEqual(copy.position, [original.position[0] + 200, original.position[1]]);
});

test('handles resize and turn, with Shift in proportion and in steps', async () => {
  const name = 'handles';
  const { ada, ben } = await adaAndBen(name);
  await ada.board.draw('Rectangle', [200, 200], [300, 260]);
  await ada.board.drag([302, 262], [402, 302], { modifiers: ['Control'] });
  await eventually(async () => assert.deepEqual((await storedShapes(server, name))[0].size, [200, 100]));
  await ada.board.drag([402, 302], [502, 302], { modifiers: ['Shift'] });
  await eventually(async () => {
    const [width, height] = (await storedShapes(server, name))[0].size;
    assert.ok(width > 250 && Math.abs(width / height - 2) < 0.01, `${width} × ${height}`);
  });
  const turnHandle = ada.page.locator('[data-grip="turn"]');
  const grip = await turnHandle.boundingBox();
  const [x0, y0] = await ada.board.at(0, 0);
  await ada.board.drag([grip.x + grip.width / 2 - x0, grip.y + grip.height / 2 - y0], [700, 260], { modifiers: ['Shift'] });
  await eventually(async () => {
    const { rotation } = (await storedShapes(server, name))[0];
    assert.ok(rotation > 0 && rotation % 15 === 0, `turned by ${rotation}`);
  });
  await eventuallySame(ada.board, ben.board);
  await screenshot(ada.page, 'board-turned');
  await assertClean(ada, ben);
});

test('an end of a line is drawn elsewhere while the other stays', async () => {
  const name = 'line-end';
  const { ada } = await adaAndBen(name);
  await ada.board.draw('Line', [200, 200], [300, 260]);
  await ada.board.drag([300, 260], [420, 200]);
  await eventually(async () => {
    const [line] = await storedShapes(server, name);
    assert.deepEqual(line.size, [220, 0]);
  });
});

test('movement snaps to the edges of others, unless Control is held', async () => {
  const name = 'snapping';
  const { ada } = await adaAndBen(name);
  await ada.board.draw('Rectangle', [120, 120], [220, 180]);
  await ada.board.draw('Rectangle', [300, 300], [400, 360]);
  await ada.board.drag([350, 320], [174, 320], { steps: 12 });
  await eventually(async () => {
    const [one, other] = await storedShapes(server, name);
    assert.equal(other.position[0], one.position[0]);
  });
  await ada.board.drag([170, 320], [175, 320], { modifiers: ['Control'] });
  await eventually(async () => {
    const [one, other] = await storedShapes(server, name);
    assert.equal(other.position[0], one.position[0] + 5);
  });
});

test('the stack is reordered, and colours, fills and lines change, for all that is selected', async () => {
  const name = 'styles';
  const { ada, ben } = await adaAndBen(name);
  await ada.board.draw('Rectangle', [120, 120], [220, 220]);
  await ada.board.draw('Ellipse', [160, 160], [260, 260]);
  const [rectangle] = await eventuallyStored(server, name, 2);
  await ada.board.click(120, 170);
  await ada.board.style.getByRole('button', { name: 'Bring to front' }).click();
  await eventually(async () => assert.equal((await storedShapes(server, name)).at(-1).id, rectangle.id));
  await ada.board.press('Control+[');
  await eventually(async () => assert.equal((await storedShapes(server, name))[0].id, rectangle.id));
  await ada.board.press('Control+a');
  await chooseStyle(ada, 'Colour', 'Purple');
  await chooseStyle(ada, 'Fill', 'Tint');
  await chooseStyle(ada, 'Line width', 'Thick');
  await chooseStyle(ada, 'Line style', 'Dashed');
  await eventually(async () => {
    for (const shape of await storedShapes(server, name)) {
      assert.deepEqual([shape.colour, shape.fill, shape.stroke, shape.dash], ['purple', 'tint', 5, 'dashed']);
    }
  });
  await eventuallySame(ada.board, ben.board);
  await screenshot(ada.page, 'board-styles');
  await ada.board.click(500, 500);
  await ada.board.draw('Rectangle', [400, 120], [460, 180]);
  const shapes = await eventuallyStored(server, name, 3);
  assert.equal(shapes.at(-1).colour, 'purple', 'what is drawn next has the style chosen last');
  await assertClean(ada, ben);
});

test('the eraser deletes what it is drawn over, and one undo brings all of it back', async () => {
  const name = 'eraser';
  const { ada } = await adaAndBen(name);
  await ada.board.draw('Line', [200, 120], [200, 220]);
  await ada.board.draw('Line', [260, 120], [260, 220]);
  await ada.board.draw('Line', [500, 120], [500, 220]);
  await eventuallyStored(server, name, 3);
  await ada.board.draw('Eraser', [150, 170], [320, 170]);
  await eventuallyStored(server, name, 1);
  await ada.board.press('v');
  await ada.board.press('Control+z');
  await eventuallyStored(server, name, 3);
});

test('undo and redo take back and bring back only what was done on this page', async () => {
  const name = 'own-undo';
  const { ada, ben } = await adaAndBen(name);
  await ada.board.draw('Rectangle', [120, 120], [220, 180]);
  await eventuallyStored(server, name, 1);
  await ben.board.draw('Ellipse', [300, 120], [400, 180]);
  await eventuallyStored(server, name, 2);
  await ada.board.press('Control+z');
  const [left] = await eventuallyStored(server, name, 1);
  assert.equal(left.type, 'ellipse');
  await ada.board.view.getByRole('button', { name: 'Redo on the board' }).click();
  await eventuallyStored(server, name, 2);
  assert.ok(await ada.board.view.getByRole('button', { name: 'Redo on the board' }).isDisabled());
  await ben.board.press('Control+z');
  const [kept] = await eventuallyStored(server, name, 1);
  assert.equal(kept.type, 'rectangle');
  await eventuallySame(ada.board, ben.board);
});

test('of two who move one shape at the same time one wins, and both pages agree', async () => {
  const name = 'tug-of-war';
  const { ada, ben } = await adaAndBen(name);
  await ada.board.draw('Rectangle', [300, 300], [400, 360]);
  await ada.page.keyboard.press('Escape');
  await eventuallyStored(server, name, 1);
  await eventuallySame(ada.board, ben.board);
  await Promise.all([
    ada.board.drag([300, 330], [150, 150], { steps: 40 }),
    ben.board.drag([300, 330], [550, 500], { steps: 40 }),
  ]);
  const svg = await eventuallySame(ada.board, ben.board);
  const [shape] = await eventuallyStored(server, name, 1);
  assert.ok(svg.includes(`translate(${shape.position[0]} ${shape.position[1]})`), 'the server has it where the pages show it');
  await assertClean(ada, ben);
});

test('two people write into one note at once and both keep their words', async () => {
  const name = 'one-note';
  const { ada, ben } = await adaAndBen(name);
  await ada.board.tool('Sticky note');
  await ada.board.click(300, 300);
  await ada.page.keyboard.type('Start. ');
  await eventually(async () => assert.equal((await storedShapes(server, name))[0]?.text, 'Start. '));
  await eventually(async () => assert.match(await ben.board.svg(), /Start\./));
  await ben.board.doubleClick(300, 260);
  await ben.board.writing.waitFor();
  assert.equal(await ben.board.writing.inputValue(), 'Start. ');
  await ben.page.keyboard.press('Control+End');
  await Promise.all([ada.page.keyboard.type('aaaaaaaaaa', { delay: 20 }), ben.page.keyboard.type('bbbbbbbbbb', { delay: 20 })]);
  await eventually(async () => {
    const { text } = (await storedShapes(server, name))[0];
    assert.deepEqual([text.match(/a/g)?.length, text.match(/b/g)?.length], [11, 10], text);
    assert.equal(await ada.board.writing.inputValue(), text);
    assert.equal(await ben.board.writing.inputValue(), text);
  });
  await ada.page.keyboard.press('Escape');
  await ben.page.keyboard.press('Escape');
  await eventuallySame(ada.board, ben.board);
  await assertClean(ada, ben);
});

test('a text left empty is no shape, and a label is written by a double click', async () => {
  const name = 'empty-text';
  const { ada } = await adaAndBen(name);
  await ada.board.tool('Text');
  await ada.board.click(300, 300);
  await ada.board.writing.waitFor();
  await ada.page.keyboard.press('Escape');
  await ada.board.writing.waitFor({ state: 'hidden' });
  await ada.board.draw('Rectangle', [120, 120], [260, 200]);
  await ada.board.doubleClick(190, 160);
  await ada.page.keyboard.type('Label');
  await ada.board.click(500, 500);
  const [shape] = await eventuallyStored(server, name, 1);
  assert.deepEqual([shape.type, shape.text], ['rectangle', 'Label']);
});

test('copies are pasted where the pointer is, as shapes; other text becomes a text shape', async () => {
  const name = 'clipboard';
  const { ada, ben } = await adaAndBen(name);
  await ada.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await ada.board.draw('Rectangle', [120, 120], [220, 180]);
  await ada.board.press('Control+c');
  await ada.board.hover(400, 300);
  await ada.page.keyboard.press('Control+v');
  const [original, copy] = await eventuallyStored(server, name, 2);
  assert.deepEqual(copy.size, original.size);
  assert.notEqual(copy.position[0], original.position[0]);
  await ada.page.keyboard.press('Control+x');
  await eventuallyStored(server, name, 1);
  await ada.page.evaluate(() => navigator.clipboard.writeText('pasted words'));
  await ada.page.keyboard.press('Control+v');
  const shapes = await eventuallyStored(server, name, 2);
  assert.deepEqual([shapes[1].type, shapes[1].text], ['text', 'pasted words']);
  await eventuallySame(ada.board, ben.board);
  await assertClean(ada, ben);
});

test('an image is dropped, shrunk to the cap, shown to the other; what is none is refused in words', async () => {
  const name = 'images';
  const { ada, ben } = await adaAndBen(name);
  await dropImage(ada, 1600, 1200);
  const stored = await eventually(async () => {
    const answer = await fetch(`${server.origin}/api/docs/${name}`);
    assert.equal(answer.status, 200);
    return answer.json();
  });
  assert.ok(stored.bytes < 600 * 1024, `${stored.bytes} bytes for one image`);
  await eventually(async () => assert.match(await ben.board.svg(), /<image [^>]*href="data:image\/(webp|png|jpeg);base64,/));
  await eventuallySame(ada.board, ben.board);
  await screenshot(ben.page, 'board-image');
  await ada.page.evaluate(() => window.dropFile(new File(['no image'], 'broken.png', { type: 'image/png' })));
  await ada.page.getByRole('alert').getByText('“broken.png” is no image').waitFor();
  await assertClean(ada, ben);
});

test('the view pans, zooms around the pointer and shows everything', async () => {
  const name = 'camera';
  const { ada } = await adaAndBen(name);
  await ada.board.draw('Rectangle', [300, 300], [400, 360]);
  const zoom = ada.page.getByRole('button', { name: /^Zoom \d+ %/ });
  await ada.board.hover(300, 300);
  await ada.page.keyboard.down('Control');
  await ada.page.mouse.wheel(0, -300);
  await ada.page.keyboard.up('Control');
  await eventually(async () => assert.notEqual(await zoom.textContent(), '100 %'));
  await zoom.click();
  assert.equal(await zoom.textContent(), '100 %');
  await ada.board.hover(350, 330);
  for (let turn = 0; turn < 40; turn += 1) await ada.page.mouse.wheel(0, 200);
  const out = await ada.page.locator('.selection-frame').boundingBox();
  assert.ok(out === null || out.y < -500, 'the shape is out of view');
  await ada.board.view.getByRole('button', { name: 'Show everything' }).click();
  await eventually(async () => {
    const frame = await ada.page.locator('.selection-frame').boundingBox();
    const surface = await ada.board.surface.boundingBox();
    assert.ok(frame.x > surface.x && frame.x + frame.width < surface.x + surface.width, 'the shape is in view');
    assert.ok(frame.y > surface.y && frame.y + frame.height < surface.y + surface.height);
  });
  await ada.page.keyboard.down(' ');
  await ada.board.drag([200, 200], [260, 200]);
  await ada.page.keyboard.up(' ');
  assert.equal((await storedShapes(server, name)).length, 1, 'panning draws nothing');
});

test('everything can be done with keys alone', async () => {
  const name = 'keys';
  const { ada, ben } = await adaAndBen(name);
  await ada.board.surface.focus();
  const { keyboard } = ada.page;
  await keyboard.press('r');
  await keyboard.press('Enter');
  await eventuallyStored(server, name, 1);
  await keyboard.press('Escape');
  await keyboard.press('n');
  await keyboard.press('Enter');
  await keyboard.type('By keys');
  await keyboard.press('Escape');
  await eventuallyStored(server, name, 2);
  await keyboard.press('Escape');
  await keyboard.press('Enter');
  await ada.board.surface.getByRole('status').getByText('rectangle, 1 of 2').waitFor({ state: 'attached' });
  const [before] = await storedShapes(server, name);
  await keyboard.press('Shift+ArrowRight');
  await keyboard.press('ArrowDown');
  await keyboard.press('.');
  await eventually(async () => {
    const [now] = await storedShapes(server, name);
    assert.deepEqual([now.position[0] - before.position[0], now.position[1] - before.position[1], now.rotation], [10, 1, 15]);
  });
  await keyboard.press('Tab');
  await ada.board.surface.getByRole('status').getByText('note: By keys, 2 of 2').waitFor({ state: 'attached' });
  await keyboard.press('Delete');
  await eventuallyStored(server, name, 1);
  await keyboard.press('Escape');
  await keyboard.press('Tab');
  assert.notEqual(await ada.page.evaluate(() => document.activeElement?.className), 'surface', 'Tab leaves the board');
  await assertClean(ada, ben);
});

test('a stylus draws with its pressure, and a finger pans once a stylus was seen', async () => {
  const name = 'stylus';
  const { ada } = await adaAndBen(name);
  const devtools = await ada.page.context().newCDPSession(ada.page);
  await ada.board.tool('Pen');
  const pen = async (type, x, y, force) => {
    const [px, py] = await ada.board.at(x, y);
    await devtools.send('Input.dispatchMouseEvent', { type, x: px, y: py, button: 'left', buttons: 1, force, pointerType: 'pen', clickCount: 1 });
  };
  await pen('mousePressed', 150, 150, 0.2);
  for (let step = 1; step <= 10; step += 1) await pen('mouseMoved', 150 + step * 10, 150 + step * 4, 0.2 + step * 0.07);
  await pen('mouseReleased', 250, 190, 0);
  const [stroke] = await eventuallyStored(server, name, 1);
  const pressures = stroke.points.filter((_, at) => at % 3 === 2);
  assert.ok(Math.max(...pressures) > 80 && Math.min(...pressures) < 40, `pressures ${pressures}`);
  const [x, y] = await ada.board.at(300, 300);
  const finger = (type, ...touchPoints) => devtools.send('Input.dispatchTouchEvent', { type, touchPoints });
  await finger('touchStart', { x, y });
  for (let step = 1; step <= 8; step += 1) await finger('touchMove', { x: x + step * 10, y });
  await finger('touchEnd');
  await ada.board.tool('Rectangle');
  await ada.board.click(400, 400);
  const shapes = await eventuallyStored(server, name, 2);
  const middle = shapes[1].position[0] + shapes[1].size[0] / 2;
  assert.ok(middle > 300 && middle < 340, `the view was panned by 80: the middle is ${middle}`);
});

test('fingers draw with a tool, pinch to zoom, and never do both', async () => {
  const name = 'fingers';
  const ada = await newPerson(browser, 'Ada', { viewport: { width: 412, height: 800 }, hasTouch: true, isMobile: true });
  await ada.open(server.documentUrl(name));
  await ada.page.getByRole('button', { name: 'Board', exact: true }).click();
  const board = boardOf(ada);
  const devtools = await ada.page.context().newCDPSession(ada.page);
  const touch = async (type, ...points) => {
    const touchPoints = await Promise.all(
      points.map(async ([x, y], id) => {
        const [px, py] = await board.at(x, y);
        return { x: px, y: py, id };
      }),
    );
    await devtools.send('Input.dispatchTouchEvent', { type, touchPoints });
  };
  await board.tools.getByRole('button', { name: 'Pen' }).tap();
  await touch('touchStart', [100, 200]);
  for (let step = 1; step <= 8; step += 1) await touch('touchMove', [100 + step * 15, 200 + step * 5]);
  await touch('touchEnd');
  await eventuallyStored(server, name, 1);
  const zoom = ada.page.getByRole('button', { name: /^Zoom \d+ %/ });
  const before = await zoom.textContent();
  await touch('touchStart', [150, 300]);
  await touch('touchStart', [150, 300], [250, 300]);
  for (let step = 1; step <= 8; step += 1) await touch('touchMove', [150 - step * 5, 300], [250 + step * 5, 300]);
  await touch('touchEnd');
  await eventually(async () => assert.notEqual(await zoom.textContent(), before));
  await eventuallyStored(server, name, 1);
  await screenshot(ada.page, 'board-phone');
  assert.deepEqual(ada.problems, []);
});

test('PNG and SVG hold the whole board, wherever the view is', async () => {
  const name = 'pictures';
  const { ada } = await adaAndBen(name);
  await ada.board.draw('Rectangle', [120, 120], [320, 220]);
  await eventuallyStored(server, name, 1);
  const png = await ada.board.png();
  assert.deepEqual([...png.subarray(0, 4)], [0x89, 0x50, 0x4e, 0x47]);
  // 200 × 100 with its line's margin and 24 around, twice as large.
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  assert.ok(width >= 496 && width < 530 && height >= 296 && height < 330, `${width} × ${height}`);
  const svg = await ada.board.svg();
  const parsed = await ada.page.evaluate((text) => {
    const root = new DOMParser().parseFromString(text, 'image/svg+xml').documentElement;
    return { name: root.nodeName, paths: root.querySelectorAll('path').length };
  }, svg);
  assert.deepEqual(parsed, { name: 'svg', paths: 1 });
});

test('what others write into the board by other means is drawn where it can be, and breaks nothing', async () => {
  const name = 'foreign';
  const { ada, ben } = await adaAndBen(name);
  await ada.board.draw('Rectangle', [120, 120], [220, 180]);
  await eventuallyStored(server, name, 1);
  // {"bad": 5} and a map "empty" with a type and nothing else, by client 1000.
  const hostile = foreignUpdate();
  const answer = await fetch(`${server.origin}/api/docs/${name}/updates`, { method: 'POST', body: hostile });
  assert.equal(answer.status, 200, await answer.text());
  await eventually(async () => assert.ok((await storedShapes(server, name)).length >= 2));
  await ada.board.draw('Ellipse', [300, 120], [400, 180]);
  await eventuallySame(ada.board, ben.board);
  await assertClean(ada, ben);
});

async function chooseStyle(person, group, value) {
  const { style } = person.board;
  await style.locator('summary').and(style.getByLabel(new RegExp(`^${group}`))).click();
  await style.getByTitle(value, { exact: true }).click();
  await person.page.keyboard.press('Escape');
  await person.board.surface.focus();
}

/** Drops a picture of so many pixels, half of them noise, which no encoder makes small. */
async function dropImage(person, width, height) {
  const bytes = await person.page.evaluate(
    async ([w, h]) => {
      const canvas = new OffscreenCanvas(w, h);
      const context = canvas.getContext('2d');
      const { data } = context.getImageData(0, 0, w, h);
      const words = new Uint32Array(data.buffer);
      let state = 1;
      for (let at = 0; at < words.length; at += 1) {
        state = (state * 48271) % 2147483647;
        words[at] = 0xff000000 | (at % 2 === 0 ? state & 0xffffff : 0x336699);
      }
      context.putImageData(new ImageData(data, w, h), 0, 0);
      const blob = await canvas.convertToBlob({ type: 'image/png' });
      window.dropFile(new File([blob], 'photo.png', { type: blob.type }));
      return blob.size;
    },
    [width, height],
  );
  assert.ok(bytes > 600 * 1024, `${bytes} bytes are more than the board takes`);
}

/** Runs in a page, before it: gives it a way to drop a file on the middle of the board. */
function offerDrops() {
  window.dropFile = (file) => {
    const surface = document.querySelector('.surface');
    const { left, top, width, height } = surface.getBoundingClientRect();
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(file);
    const place = { clientX: left + width / 2, clientY: top + height / 2, bubbles: true, cancelable: true };
    surface.dispatchEvent(new DragEvent('drop', { ...place, dataTransfer }));
  };
}

/** A Yjs update, by client 1000, that sets `board.bad` to 5 and `board.odd` to a map with the type "hexagon". */
function foreignUpdate() {
  const text = (value) => [value.length, ...Buffer.from(value)];
  return Buffer.from([
    ...[1, 3, 0xe8, 0x07, 0],
    // ContentAny in the root "board", key "bad": one value, the integer 5.
    ...[0x28, 1, ...text('board'), ...text('bad'), 1, 125, 5],
    // ContentType YMap (1) in the root "board", key "odd".
    ...[0x27, 1, ...text('board'), ...text('odd'), 1],
    // ContentAny in that map, key "type": one value, a string.
    ...[0x28, 0, 0xe8, 0x07, 1, ...text('type'), 1, 119, ...text('hexagon')],
    0,
  ]);
}

async function adaAndBen(name) {
  const people = await Promise.all([newPerson(browser, 'Ada'), newPerson(browser, 'Ben', { colour: '#b3540c' })]);
  for (const person of people) {
    await person.page.addInitScript(() => localStorage.setItem('ydock.panes', '"board"'));
    await person.page.addInitScript(offerDrops);
    await person.open(server.documentUrl(name));
    person.board = boardOf(person);
  }
  const [ada, ben] = people;
  return { ada, ben };
}

async function assertClean(...people) {
  for (const person of people) assert.deepEqual(person.problems, []);
}
