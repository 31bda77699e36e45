/**
 * What the browser tests share: a ydock of their own, one Chromium, and people who open pages in it.
 *
 * YDOCK_BIN names the server's binary and CHROMIUM the browser's; a missing one fails the tests.
 */

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

/**
 * Starts `ydock serve`, with environment variables as `settings`; `stop` ends it in order, `kill` as a crash would.
 * `fillDisk` makes every write to its files fail as on a full disk, `freeDisk` ends that.
 */
export async function startServer({ data, port = 0, settings = {} } = {}) {
  const directory = data ?? (await mkdtemp(join(tmpdir(), 'ydock-browser-')));
  const args = ['serve', '--listen', `127.0.0.1:${port}`, '--data', directory];
  // The trap is kept by the server: a write beyond the limit is an error and not a signal.
  const child = spawn('bash', ['-c', 'trap "" XFSZ; exec "$0" "$@"', serverBinary(), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...settings },
  });
  const limitFiles = (limit) => execFileSync('prlimit', ['--pid', String(child.pid), `--fsize=${limit}:unlimited`]);
  const log = [];
  child.stderr.on('data', (chunk) => log.push(chunk));
  const exited = new Promise((resolve) => child.once('close', resolve));
  const end = async (signal) => {
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
    await exited;
    clearTimeout(timer);
  };
  const origin = await firstOf(listeningAddress(child), exited).catch(async (error) => {
    await end('SIGKILL');
    throw oneLine(`${error.message}: ${Buffer.concat(log).toString().trim().slice(-2000)}`);
  });
  return {
    origin,
    port: Number(new URL(origin).port),
    data: directory,
    documentUrl: (name) => `${origin}/d/${encodeURIComponent(name)}`,
    deleteDocument: (name) => fetch(`${origin}/api/docs/${encodeURIComponent(name)}`, { method: 'DELETE' }),
    kill: () => end('SIGKILL'),
    fillDisk: () => limitFiles('1'),
    freeDisk: () => limitFiles('unlimited'),
    stop: async () => {
      await end('SIGTERM');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Launches Chromium; Playwright gives it a fresh profile and removes it afterwards. */
export async function startBrowser() {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  if (!existsSync(executablePath)) {
    throw oneLine(`no Chromium at ${executablePath}: install Debian's "chromium" or set CHROMIUM to its path`);
  }
  return chromium.launch({ executablePath, args: CHROMIUM_FLAGS });
}

/**
 * A person with a browser profile of their own, which is what keeps two of them apart as on two machines.
 * `problems` collects console errors, exceptions and refused loads; `requests` every address that was asked for.
 */
export async function newPerson(browser, name, { colour = '#1d6fb8', ...options } = {}) {
  const context = await browser.newContext(options);
  const profile = JSON.stringify({ name, colour });
  await context.addInitScript((stored) => {
    if (localStorage.getItem('ydock.profile') === null) localStorage.setItem('ydock.profile', stored);
  }, profile);
  const page = await context.newPage();
  page.setDefaultTimeout(EVENTUALLY_MS);
  const problems = [];
  const requests = [];
  page.on('console', (message) => {
    if ((message.type() === 'error' || message.type() === 'warning') && message.text() !== ANSWERED_LATE) problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('request', (request) => requests.push(request.url()));
  const frameListeners = [];
  page.on('websocket', (socket) => {
    requests.push(socket.url());
    socket.on('framesent', ({ payload }) => frameListeners.forEach((listener) => listener(Buffer.from(payload))));
  });
  const editor = page.getByRole('textbox', { name: 'Text of the document' });
  return {
    page,
    editor,
    problems,
    requests,
    /** Opens a document and waits until it is in step with the server. */
    open: async (url) => {
      await page.goto(url);
      await connected(page);
    },
    /** Types at the end of the text, key by key. */
    type: async (text) => {
      await editor.focus();
      await page.keyboard.press('Control+End');
      await page.keyboard.type(text);
    },
    /** Calls `listener` with the bytes of each frame that the page sends. */
    onFrameSent: (listener) => frameListeners.push(listener),
    text: () => editorText(page),
    leave: () => context.close(),
  };
}

/**
 * A hand on the sockets of a page or of all pages of a context, to be taken before they open a document.
 *
 * `hold` keeps back from the page the updates that the server sends, echoes among them, until `release`; `drop` loses
 * them; `cut` closes the sockets with a code; `block` does so and refuses new ones until `unblock`; `greeting` is sent
 * to the page on each new socket before anything else. `opened` counts sockets; `updates` are the frames with an update
 * or an answer that pages sent.
 */
export async function holdSockets(target) {
  const open = new Set();
  const gate = { opened: 0, updates: [], greeting: undefined, held: [] };
  let mode = 'pass';
  let refusal;
  await target.routeWebSocket(/\/yjs\//, (socket) => {
    gate.opened += 1;
    if (refusal !== undefined) {
      void socket.close({ code: refusal, reason: 'refused by the test' });
      return;
    }
    const upstream = socket.connectToServer();
    const pair = { socket, upstream };
    open.add(pair);
    if (gate.greeting !== undefined) socket.send(gate.greeting);
    socket.onMessage((frame) => {
      if (isUpdate(frame)) gate.updates.push(Buffer.from(frame));
      upstream.send(frame);
    });
    upstream.onMessage((frame) => {
      if (mode === 'pass' || !(frame[0] === 0 && frame[1] === 2)) socket.send(frame);
      else if (mode === 'hold') gate.held.push(() => open.has(pair) && socket.send(frame));
    });
    const gone = (end) => (code, reason) => {
      open.delete(pair);
      void end.close({ code: code === 1006 || code === 1005 ? undefined : code, reason });
    };
    socket.onClose(gone(upstream));
    upstream.onClose(gone(socket));
  });
  gate.hold = () => (mode = 'hold');
  gate.drop = () => (mode = 'drop');
  gate.release = () => {
    mode = 'pass';
    for (const send of gate.held.splice(0)) send();
  };
  gate.cut = async (code = 1013) => {
    for (const pair of [...open]) {
      open.delete(pair);
      await pair.upstream.close();
      await pair.socket.close({ code, reason: 'cut by the test' });
    }
  };
  gate.block = async (code = 1013) => {
    refusal = code;
    await gate.cut(code);
  };
  gate.unblock = () => (refusal = undefined);
  return gate;
}

/** Waits until the page says that every change is on the server's disk. */
export async function saved(page) {
  await page.locator('.connection[data-state="connected"][data-saving="saved"]', { hasText: 'All changes saved' }).waitFor();
}

/** Waits until the badge says where the changes are, in these words among others. */
export async function says(page, words) {
  await page.locator('.connection', { hasText: words }).waitFor();
}

export async function connected(page) {
  await page.locator('.connection[data-state="connected"]').waitFor();
}

/** Retries `check` until it stops throwing; the last failure is the one reported. */
export async function eventually(check, within = EVENTUALLY_MS) {
  const deadline = Date.now() + within;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

export async function eventuallyReads(person, expected, within) {
  await eventually(async () => assert.equal(await person.text(), expected), within);
}

/** Keeps a picture for people to look at; nothing compares it. */
export async function screenshot(page, name) {
  const directory = fileURLToPath(new URL('screenshots/', import.meta.url));
  await mkdir(directory, { recursive: true });
  await page.screenshot({ path: join(directory, `${name}.png`) });
}

function serverBinary() {
  const built = ['release', 'debug'].map((profile) =>
    fileURLToPath(new URL(`../../target/${profile}/ydock`, import.meta.url)),
  );
  const candidates = process.env.YDOCK_BIN ? [process.env.YDOCK_BIN] : built;
  const found = candidates.find((path) => existsSync(path));
  if (found === undefined) {
    throw oneLine(`no ydock binary at ${candidates.join(' or ')}: build it with "cargo build --release" or set YDOCK_BIN`);
  }
  return found;
}

async function listeningAddress(child) {
  const lines = createInterface({ input: child.stdout });
  for await (const line of lines) {
    const address = /listening on (http:\/\/\S+)/.exec(line)?.[1];
    if (address !== undefined) {
      child.stdout.resume();
      return address;
    }
  }
  throw new Error('ydock ended before it listened');
}

function firstOf(address, exited) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('ydock did not listen in time')), START_WITHIN_MS);
  });
  const gone = exited.then((code) => Promise.reject(new Error(`ydock exited with ${code} before it listened`)));
  return Promise.race([address, late, gone]).finally(() => clearTimeout(timer));
}

/** A sync message that brings something: an answer (1) or an update (2), not the empty one. */
function isUpdate(frame) {
  return frame[0] === 0 && frame[1] > 0 && !(frame.length === 5 && frame[3] === 0 && frame[4] === 0);
}

/** The text without the names of remote cursors, which are elements inside it. */
function editorText(page) {
  return page.evaluate(() =>
    [...document.querySelectorAll('.cm-line')]
      .map((line) => {
        const copy = line.cloneNode(true);
        for (const extra of copy.querySelectorAll('.remote-caret, .cm-placeholder, img')) extra.remove();
        return copy.textContent;
      })
      .join('\n'),
  );
}

/** An error that prints as its message: a missing tool needs no stack. */
function oneLine(message) {
  const error = new Error(message);
  error.stack = message;
  return error;
}

/** y-websocket answers the server's first frame although the close came with it. */
const ANSWERED_LATE = 'WebSocket is already in CLOSING or CLOSED state.';
const START_WITHIN_MS = 20_000;
const STOP_WITHIN_MS = 15_000;
const EVENTUALLY_MS = 15_000;

const CHROMIUM_FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
  '--no-first-run',
];
