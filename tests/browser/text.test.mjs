/** The text side: its toolbar, the live preview, what hostile Markdown cannot do, and how it feels with two hundred pages. */

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { eventually, eventuallyReads, newPerson, screenshot, startBrowser, startServer } from './harness.mjs';

const Y = createRequire(new URL('../../web-demo/package.json', import.meta.url))('yjs');

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

test('each button of the toolbar puts its mark on and takes it off again', async () => {
  const ada = await person('Ada', 'buttons', 'word');
  const toggles = [
    ['Bold', '**word**'],
    ['Italic', '*word*'],
    ['Strikethrough', '~~word~~'],
    ['Code', '`word`'],
    ['Bulleted list', '- word'],
    ['Numbered list', '1. word'],
    ['Task list', '- [ ] word'],
    ['Quote', '> word'],
    ['Code block', '```\nword\n```'],
  ];
  for (const [name, expected] of toggles) {
    await ada.editor.focus();
    await ada.page.keyboard.press('Control+a');
    await tool(ada, name).click();
    await eventuallyReads(ada, expected);
    await pressed(ada, name, 'true');
    await tool(ada, name).click();
    await eventuallyReads(ada, 'word');
    await pressed(ada, name, 'false');
  }
  assertClean(ada);
});

test('a link, a table and a rule go in with what is to be filled in selected', async () => {
  const ada = await person('Ada', 'inserts', 'here');
  await ada.editor.focus();
  await ada.page.keyboard.press('Control+a');
  await tool(ada, 'Link').click();
  await ada.page.keyboard.type('https://a.example');
  await eventuallyReads(ada, '[here](https://a.example)');
  await ada.page.keyboard.press('Control+k');
  await eventuallyReads(ada, 'here');
  await tool(ada, 'Horizontal rule').click();
  await eventuallyReads(ada, 'here\n\n---\n');
  await tool(ada, 'Table').click();
  await ada.page.keyboard.type('Boat');
  await eventually(async () => assert.match(await ada.text(), /^here\n\n---\n\n\| Boat \| Column 2 \| Column 3 \|\n\| -/));
  assertClean(ada);
});

test('the menu of headings names the level at the cursor and sets it, by mouse and by keyboard', async () => {
  const ada = await person('Ada', 'headings', 'Title');
  const button = ada.page.getByRole('button', { name: 'Heading: Text' });
  await button.click();
  await ada.page.getByRole('menuitemradio', { name: 'Heading 2' }).click();
  await eventuallyReads(ada, '## Title');
  await ada.page.getByRole('button', { name: 'Heading: Heading 2' }).focus();
  await ada.page.keyboard.press('ArrowDown');
  await ada.page.keyboard.press('ArrowUp');
  await ada.page.keyboard.press('Enter');
  await eventuallyReads(ada, '# Title');
  await ada.page.keyboard.press('Control+Alt+0');
  await eventuallyReads(ada, 'Title');
  assertClean(ada);
});

test('undo takes back our own steps alone, one format at a time', async () => {
  const ada = await person('Ada', 'undo', '');
  const ben = await person('Ben', 'undo');
  await ada.type('one');
  await ada.page.keyboard.press('Control+a');
  await ada.page.keyboard.press('Control+b');
  await eventuallyReads(ben, '**one**');
  await ben.type(' two');
  await eventuallyReads(ada, '**one** two');
  await tool(ada, 'Undo').click();
  await eventuallyReads(ada, 'one two');
  await tool(ada, 'Undo').click();
  await eventuallyReads(ada, ' two');
  await eventually(async () => assert.equal(await tool(ada, 'Undo').getAttribute('aria-disabled'), 'true'));
  await tool(ada, 'Redo').click();
  await tool(ada, 'Redo').click();
  await eventuallyReads(ben, '**one** two');
  assertClean(ada, ben);
});

test('the toolbar is one stop for Tab with arrows inside, and Tab leaves the text', async () => {
  const ada = await person('Ada', 'keyboard', '- a\n- word');
  const focused = () => ada.page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent);
  await tool(ada, 'Undo').focus();
  await ada.page.keyboard.press('End');
  assert.equal(await focused(), 'Preview');
  await ada.page.keyboard.press('ArrowRight');
  assert.equal(await focused(), 'Undo');
  await ada.page.keyboard.press('Tab');
  assert.equal(await focused(), 'Text of the document');
  await ada.page.keyboard.press('Control+End');
  await ada.page.keyboard.press('Tab');
  await eventuallyReads(ada, '- a\n  - word');
  await ada.page.keyboard.press('Shift+Tab');
  await eventuallyReads(ada, '- a\n- word');
  await ada.page.keyboard.press('Shift+Control+ArrowLeft');
  await ada.page.keyboard.press('Escape');
  await ada.page.keyboard.press('Shift+Tab');
  assert.equal(await focused(), 'Undo');
  for (let step = 0; step < 3; step += 1) await ada.page.keyboard.press('ArrowRight');
  await ada.page.keyboard.press('Enter');
  assert.equal(await focused(), 'Bold', 'the focus stays for the next format');
  await eventuallyReads(ada, '- a\n- **word**');
  await ada.page.keyboard.press('Escape');
  assert.equal(await focused(), 'Text of the document');
  assert.match(await ada.page.locator('#text-hint').textContent(), /press Escape, then Tab/);
  assertClean(ada);
});

test('the preview shows the text as it reads, and follows what another page types', async () => {
  const ada = await person('Ada', 'preview', SAMPLE);
  const ben = await person('Ben', 'preview');
  await tool(ada, 'Split').click();
  const preview = region(ada);
  await preview.getByRole('heading', { level: 2, name: 'Minutes' }).waitFor();
  await preview.getByRole('listitem').filter({ hasText: 'Nested' }).first().waitFor();
  assert.equal(await preview.getByRole('cell', { name: '12 m' }).getAttribute('class'), 'align-right');
  const link = preview.getByRole('link', { name: 'the plan' });
  assert.equal(await link.getAttribute('rel'), 'noopener noreferrer nofollow');
  assert.equal(await link.getAttribute('target'), '_blank');
  const kept = await preview.getByRole('table').elementHandle();
  await ben.type('\n\nA **new** end');
  await preview.locator('strong', { hasText: 'new' }).waitFor();
  assert.ok(await kept.evaluate((table) => table.isConnected), 'a block that did not change keeps its nodes');
  await ben.page.keyboard.press('Control+Home');
  await ben.page.keyboard.press('Control+Shift+ArrowRight');
  await ben.page.keyboard.press('Control+Shift+ArrowRight');
  await eventually(async () => {
    const background = await ada.page.locator('.remote-selection').first().evaluate((mark) => getComputedStyle(mark).backgroundColor);
    assert.match(background, /^rgba\(29, 111, 184/);
  });
  await screenshot(ada.page, 'text-split');
  assertClean(ada, ben);
});

test('a link address that is defined elsewhere in the text arrives in all blocks that use it', async () => {
  const ada = await person('Ada', 'references', 'See [this][a].\n\nText\n\n');
  await tool(ada, 'Split').click();
  await region(ada).getByText('See [this][a].').waitFor();
  await ada.type('[a]: https://a.example/');
  const link = region(ada).getByRole('link', { name: 'this' });
  await eventually(async () => assert.equal(await link.getAttribute('href'), 'https://a.example/'));
  await ada.page.keyboard.type('b');
  await eventually(async () => assert.equal(await link.getAttribute('href'), 'https://a.example/b'));
  assertClean(ada);
});

test('after many edits anywhere the preview is the one that a fresh page draws', async () => {
  const doc = new Y.Doc();
  const text = doc.getText('text');
  text.insert(0, Array.from({ length: 120 }, (_, at) => `## Part ${at}\n\nSome *words*.\n\n- [ ] task ${at}\n\n`).join(''));
  await post('edits', Y.encodeStateAsUpdate(doc));
  const ada = await person('Ada', 'edits');
  await tool(ada, 'Split').click();
  await region(ada).getByText('Part 3', { exact: true }).waitFor();
  const random = seeded(11);
  const pieces = ['a', '\n\n', '# h\n', '- [x] i\n', '```\n', '> q\n\n', '\n---\n', 'long\n\n'.repeat(150), '[a]: /b\n\n', '[a]'];
  for (let round = 0; round < 80; round += 1) {
    const before = Y.encodeStateVector(doc);
    const at = random(text.length);
    doc.transact(() => {
      text.delete(at, Math.min(random(round % 9 === 0 ? 900 : 12), text.length - at));
      text.insert(at, pieces[random(pieces.length)]);
    });
    await post('edits', Y.encodeStateAsUpdate(doc, before));
  }
  await post('edits', Y.encodeStateAsUpdate((text.insert(0, 'Complete.\n\n'), doc)));
  const ben = await person('Ben', 'edits');
  await tool(ben, 'Preview').click();
  for (const each of [ada, ben]) await region(each).getByText('Complete.').waitFor();
  const blocks = ({ page }) => page.locator('.block').evaluateAll((all) => all.map((block) => block.innerHTML));
  await eventually(async () => assert.deepEqual(await blocks(ada), await blocks(ben)));
  assert.ok((await blocks(ben)).length > 200);
  assertClean(ada, ben);
});

test('a task that is ticked in the preview is ticked in everybody’s text', async () => {
  const ada = await person('Ada', 'tasks', '> 1. [ ] quoted\n\n- [x] done\n- [ ] to *do*\n');
  const ben = await person('Ben', 'tasks');
  await tool(ada, 'Preview').click();
  await region(ada).getByRole('checkbox', { name: 'to do' }).click();
  await eventuallyReads(ben, '> 1. [ ] quoted\n\n- [x] done\n- [x] to *do*\n');
  await eventually(async () => assert.ok(await region(ada).getByRole('checkbox', { name: 'to do' }).isChecked()));
  await ben.type('more');
  await region(ada).getByText('more').waitFor();
  await region(ada).getByRole('checkbox', { name: 'quoted' }).focus();
  await ada.page.keyboard.press('Space');
  await eventuallyReads(ben, '> 1. [x] quoted\n\n- [x] done\n- [x] to *do*\nmore');
  await ada.page.keyboard.press('Space');
  await eventuallyReads(ben, '> 1. [ ] quoted\n\n- [x] done\n- [x] to *do*\nmore');
  assertClean(ada, ben);
});

test('nothing that a peer writes runs, loads or hangs', async () => {
  const hostile = [
    '[a](javascript:alert(1)) [b](JaVaScRiPt&colon;alert(1)) [c](data:text/html,<script>alert(1)</script>) [d](vbscript:x)',
    '<script>alert(1)</script><img src=x onerror=alert(1)>',
    '<a href="javascript:alert(1)">e</a> <javascript:alert(1)> [f]: javascript:alert(1)',
    '![pixel](https://tracker.example/pixel.png) ![svg](data:image/svg+xml;base64,PHN2Zy8+) ![](//tracker.example/x)',
    '```"><script>alert(1)</script>\ncode\n```',
    '| <b onclick=alert(1)>x</b> |\n|:--|\n| " style="position:fixed |',
    `${'> '.repeat(10_000)}quote`,
    `${'- '.repeat(10_000)}list`,
    Array.from({ length: 300 }, (_, depth) => `${'  '.repeat(depth)}- deep`).join('\n'),
    `${'*a _b '.repeat(5_000)}${'c_ d* '.repeat(5_000)}`,
    `${'['.repeat(20_000)}${'*a '.repeat(10_000)}`,
    `${'|a'.repeat(300)}|\n${'|-'.repeat(300)}|\n${'x\n'.repeat(1000)}`,
    `${'word '.repeat(200_000)}`,
    'The end is safe.',
  ].join('\n\n');
  const ada = await person('Ada', 'hostile', '');
  ada.page.on('dialog', (dialog) => ada.problems.push(`a dialog: ${dialog.message()}`));
  await tool(ada, 'Split').click();
  await watchFrames(ada.page);
  await submit('hostile', hostile);
  const preview = region(ada);
  await eventually(async () => assert.ok((await preview.textContent()).includes('The end is safe.')), 30_000);
  await ada.page.keyboard.press('Control+Home');
  await ada.editor.focus();
  await ada.page.keyboard.type('Still writing. ');
  await preview.getByText('Still writing.').waitFor();
  assert.equal(await preview.locator('script, iframe, object, style, [onclick], [onerror], [style*="position"]').count(), 0);
  assert.equal(await preview.locator('img').count(), 0);
  const addresses = await preview.getByRole('link').evaluateAll((links) => links.map((link) => link.protocol));
  assert.ok(addresses.every((protocol) => ['https:', 'http:', 'mailto:'].includes(protocol)), addresses.join());
  await preview.getByRole('link', { name: 'pixel' }).waitFor();
  assert.deepEqual(ada.requests.filter((url) => url.includes('tracker')), []);
  const depth = await preview.evaluate((root) => {
    const depthOf = (node) => 1 + Math.max(0, ...[...node.children].map(depthOf));
    return depthOf(root);
  });
  assert.ok(depth < 80, `the preview is ${depth} deep`);
  const { longest } = await framesOf(ada.page);
  console.log(`hostile Markdown: the longest task took ${longest.toFixed(0)} ms`);
  assert.ok(longest < 3000, `a task took ${longest} ms`);
  assertClean(ada);
});

test('a document that was deleted can be read, and changed neither by toolbar nor by task', async () => {
  const ada = await person('Ada', 'closed', '- [ ] task');
  await tool(ada, 'Split').click();
  const box = region(ada).getByRole('checkbox', { name: 'task' });
  assert.ok(await box.isEnabled());
  await server.deleteDocument('closed');
  await eventually(async () => assert.ok(await box.isDisabled()));
  for (const name of ['Undo', 'Bold', 'Table', 'Task list']) {
    assert.equal(await tool(ada, name).getAttribute('aria-disabled'), 'true', name);
  }
  await tool(ada, 'Bold').click({ force: true });
  await ada.editor.focus();
  await ada.page.keyboard.press('Control+b');
  assert.equal(await ada.text(), '- [ ] task');
  await tool(ada, 'Preview').click();
  await region(ada).getByText('task').waitFor();
});

test('the view that was chosen is there at the next visit, and never split where there is no room', async () => {
  const ada = await person('Ada', 'views', 'Some *text*');
  await tool(ada, 'Split').click();
  await ada.page.reload();
  await region(ada).getByText('Some text').waitFor();
  assert.ok(await ada.editor.isVisible());
  await ada.page.setViewportSize({ width: 360, height: 700 });
  await region(ada).waitFor({ state: 'hidden' });
  assert.ok(await ada.editor.isVisible());
  assert.ok(await tool(ada, 'Split').isHidden());
  const overflow = await ada.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `the page is ${overflow} px too wide`);
  await tool(ada, 'Preview').click();
  await region(ada).getByText('Some text').waitFor();
  assert.ok(await ada.editor.isHidden());
  await screenshot(ada.page, 'text-phone');
  assertClean(ada);
});

test('in the split view source and preview stay at the same place', async () => {
  const ada = await person('Ada', 'scroll', Array.from({ length: 400 }, (_, at) => `## Part ${at}\n\n${'Words and words. '.repeat(at % 9)}\n\n`).join(''));
  await tool(ada, 'Split').click();
  await region(ada).getByText('Part 1', { exact: true }).waitFor();
  await ada.page.mouse.move(300, 400);
  await ada.page.mouse.wheel(0, 9000);
  await sidesAgree(ada, 10);
  await ada.page.mouse.move(900, 400);
  const before = await topPart(ada, '.preview h3');
  await ada.page.mouse.wheel(0, 12000);
  await sidesAgree(ada, before + 10);
  const settled = await topPart(ada, '.preview h3');
  await ada.page.waitForTimeout(500);
  assert.equal(await topPart(ada, '.preview h3'), settled, 'nothing moves by itself');
  assertClean(ada);
});

test('two people type into two hundred pages at once without a stutter', async (context) => {
  const pages = longText(600_000);
  for (const view of ['Write', 'Split']) {
    const name = `long-${view}`;
    await submit(name, pages);
    const ada = await person('Ada', name);
    const ben = await person('Ben', name);
    for (const each of [ada, ben]) {
      await tool(each, view).click();
      await each.editor.focus();
    }
    await ada.page.keyboard.press('Control+End');
    if (view === 'Split') await region(ada).getByText('The last words.').last().waitFor();
    await ada.page.waitForTimeout(2000);
    await watchFrames(ada.page);
    await Promise.all([ada, ben].map((each) => each.page.keyboard.type('Typing *quickly* now. '.repeat(6), { delay: 25 })));
    const { frames, keys, longest } = await framesOf(ada.page);
    const figures = `${view}: frame median ${median(frames).toFixed(1)} ms, 95 % ${percentile(frames, 0.95).toFixed(1)} ms; key median ${median(keys).toFixed(1)} ms, 95 % ${percentile(keys, 0.95).toFixed(1)} ms; longest task ${longest.toFixed(0)} ms`;
    context.diagnostic(figures);
    console.log(figures);
    assert.ok(median(frames) < 34, figures);
    assert.ok(percentile(keys, 0.95) < 100 && longest < 200, figures);
    if (view === 'Split') await region(ada).getByText('Typing quickly now.').last().waitFor();
    assertClean(ada, ben);
    await ada.leave();
    await ben.leave();
  }
});

/** A person in a document that holds this text. */
async function person(name, document, text) {
  if (text !== undefined && text !== '') await submit(document, text);
  const opened = await newPerson(browser, name);
  await opened.open(server.documentUrl(document));
  await opened.page.getByRole('group', { name: 'What is shown' }).getByRole('button', { name: 'Text' }).click();
  await opened.editor.and(opened.page.locator('[contenteditable=true]')).waitFor();
  return opened;
}

/** Puts the text into the document, as a program would. */
async function submit(document, text) {
  const doc = new Y.Doc();
  doc.getText('text').insert(0, text);
  await post(document, Y.encodeStateAsUpdate(doc));
}

async function post(document, update) {
  const response = await fetch(`${server.origin}/api/docs/${encodeURIComponent(document)}/updates`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body: update,
  });
  assert.equal(response.status, 200, await response.text());
}

function tool({ page }, name) {
  return page.getByRole('toolbar', { name: 'Formatting' }).getByRole('button', { name, exact: true, includeHidden: true });
}

function region({ page }) {
  return page.getByRole('region', { name: 'Preview' });
}

function pressed(who, name, expected) {
  return eventually(async () => assert.equal(await tool(who, name).getAttribute('aria-pressed'), expected, name));
}

/** The number of the uppermost visible part in one of the two sides. */
function topPart({ page }, selector) {
  return page.evaluate((wanted) => {
    const side = document.querySelector(wanted).closest('.cm-scroller, .preview').getBoundingClientRect().top;
    const heading = [...document.querySelectorAll(wanted)].find((each) => /Part \d/.test(each.textContent) && each.getBoundingClientRect().bottom > side);
    return Number(/\d+/.exec(heading.textContent)[0]);
  }, selector);
}

function sidesAgree(who, beyond) {
  return eventually(async () => {
    const [source, preview] = [await topPart(who, '.cm-line'), await topPart(who, '.preview h3')];
    assert.ok(source > beyond && Math.abs(source - preview) <= 1, `the source shows part ${source}, the preview ${preview}`);
  });
}

function assertClean(...people) {
  for (const { problems } of people) assert.deepEqual(problems, []);
}

/** Starts to measure frames, key presses and long tasks in the page. */
function watchFrames(page) {
  return page.evaluate(() => {
    const watched = { frames: [], keys: [], longest: 0 };
    globalThis.watched = watched;
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) watched.longest = Math.max(watched.longest, duration);
    }).observe({ type: 'longtask' });
    let last = performance.now();
    const frame = (now) => {
      watched.frames.push(now - last);
      last = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    let pressedAt = 0;
    addEventListener('keydown', () => (pressedAt = performance.now()), { capture: true });
    // A message comes after what the browser does with the key, and before other work.
    const channel = new MessageChannel();
    channel.port1.onmessage = () => watched.keys.push(performance.now() - pressedAt);
    addEventListener('keypress', () => channel.port2.postMessage(null), { capture: true });
  });
}

function framesOf(page) {
  return page.evaluate(() => globalThis.watched);
}

function longText(length) {
  const parts = [];
  for (let at = 0, total = 0; total < length; at += 1) {
    const part = `## Section ${at}\n\n${'Lorem **ipsum** dolor sit amet, *consectetur* `adipiscing` elit, see [there](https://a.example/b). '.repeat(6)}\n\n- one\n- [ ] two\n\n> quoted ${at}\n\n`;
    parts.push(part);
    total += part.length;
  }
  return `${parts.join('')}The last words.`;
}

function seeded(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function median(values) {
  return percentile(values, 0.5);
}

function percentile(values, share) {
  return [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;
}

const SAMPLE = `# Minutes

We met at **noon**. See [the plan](https://a.example/plan).

- One
  - Nested

| Boat | Length |
| :--- | -----: |
| Ada  |   12 m |

End`;
