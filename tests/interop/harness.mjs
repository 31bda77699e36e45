// A ydock process of our own for each test file, and what every test needs to wait and to clean up.
//
// The binary is $YDOCK_BIN, or the one that `cargo build` leaves. Everything that a test starts ends with it.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const binary = process.env.YDOCK_BIN ?? fileURLToPath(new URL('../../target/debug/ydock', import.meta.url))
const startLimit = 20_000
const stopLimit = 20_000

/** A running server on a data directory of its own, which outlives `kill` and `restart` and goes with `stop`. */
export class Server {
  static async start (...flags) {
    const data = await mkdtemp(join(tmpdir(), 'ydock-interop-'))
    const server = new this(data, flags)
    await server.#launch('127.0.0.1:0')
    return server
  }

  constructor (data, flags) {
    this.data = data
    this.flags = flags
    this.errors = ''
  }

  /** `http://host:port` */
  get url () { return `http://${this.address}` }
  /** `ws://host:port`: the drop-in place of y-websocket */
  get ws () { return `ws://${this.address}` }

  get isRunning () { return this.child.exitCode === null && this.child.signalCode === null }

  /** The address of a document under /api/docs. */
  api (name, rest = '') { return `${this.url}/api/docs/${encodeURIComponent(name)}${rest}` }

  async export (name, format, query = '') {
    const response = await fetch(this.api(name, `/snapshot?format=${format}${query}`), { signal: AbortSignal.timeout(20_000) })
    assert.equal(response.status, 200, `export of ${name} as ${format}: ${response.status} ${response.ok ? '' : await response.text()}`)
    if (format === 'json') return response.json()
    if (format === 'text' || format === 'svg') return response.text()
    return new Uint8Array(await response.arrayBuffer())
  }

  post (name, update) {
    return fetch(this.api(name, '/updates'), {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: update,
      signal: AbortSignal.timeout(20_000)
    })
  }

  /** No time to say goodbye. */
  async kill () {
    if (!this.isRunning) return
    this.child.kill('SIGKILL')
    await once(this.child, 'exit')
  }

  /** Starts again on the same data and the same port. */
  restart () { return this.#launch(this.address) }

  /** Ends in order, and must end so. */
  async stop () {
    try {
      await this.quit()
    } finally {
      await rm(this.data, { recursive: true, force: true })
    }
  }

  /** The same, on data that stays for `restart`. */
  async quit () {
    if (!this.isRunning) return
    const ended = once(this.child, 'exit')
    this.child.kill(this.stopSignal)
    const limit = setTimeout(() => this.child.kill('SIGKILL'), stopLimit)
    const [code, signal] = await ended
    clearTimeout(limit)
    assert.equal(code, 0, `ydock ended with ${signal ?? code} on ${this.stopSignal}\n${this.errors}`)
  }

  get stopSignal () { return 'SIGTERM' }

  /** What is run: a file, its arguments and variables; and how it is built. */
  command (listen) {
    return { file: binary, args: ['serve', '--listen', listen, '--data', this.data, ...this.flags], env: {}, build: 'cargo build' }
  }

  async #launch (listen) {
    const { file, args, env, build } = this.command(listen)
    try {
      accessSync(file, constants.X_OK)
    } catch {
      throw new Error(`there is no ${file}: run \`${build}\`, or set YDOCK_BIN`)
    }
    this.child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
    const { child } = this
    const orphaned = () => child.kill('SIGKILL')
    process.once('exit', orphaned)
    child.once('exit', () => process.off('exit', orphaned))
    this.child.stderr.setEncoding('utf8').on('data', text => { this.errors = (this.errors + text).slice(-20_000) })
    this.address = await new Promise((resolve, reject) => {
      const fail = why => reject(new Error(`ydock ${why}\n${this.errors}`))
      const limit = setTimeout(() => { this.child.kill('SIGKILL'); fail('did not say that it listens') }, startLimit)
      this.child.once('exit', (code, signal) => { clearTimeout(limit); fail(`ended with ${signal ?? code} at the start`) })
      createInterface({ input: this.child.stdout }).on('line', line => {
        const address = /listening on http:\/\/(\S+)/.exec(line)?.[1]
        if (address) { clearTimeout(limit); resolve(address) }
      })
    })
  }
}

/** The server of examples/echo.rs, whose gateways send back what they get. Its settings are variables: `PING_INTERVAL: '300ms'`. */
export class Echo extends Server {
  static start (settings = {}) { return super.start(settings) }

  get stopSignal () { return 'SIGINT' }

  command (listen) {
    const [settings] = this.flags
    const env = Object.entries(settings).map(([name, value]) => [name.includes('__') ? `YDOCK_${name}` : `YDOCK_GATEWAYS__${name}`, value])
    return {
      file: join(dirname(binary), 'examples', 'echo'),
      args: [listen],
      env: { YDOCK_STORE__KIND: 'memory', YDOCK_LOG__FILTER: 'warn', ...Object.fromEntries(env) },
      build: 'cargo build --example echo'
    }
  }
}

export const pause = ms => new Promise(resolve => setTimeout(resolve, ms))

/** Waits until a condition gives something true, and gives it back. What it throws counts as not yet. */
export async function waitFor (what, condition, ms = 10_000) {
  const end = performance.now() + ms
  let last
  for (;;) {
    try {
      last = undefined
      const value = await condition()
      if (value) return value
    } catch (error) {
      last = error
    }
    if (performance.now() > end) throw new Error(`waited ${ms} ms in vain: ${what}`, { cause: last })
    await pause(10)
  }
}

/** A document name that no other test uses. */
export const freshName = (what = 'doc') => `${what}-${(freshName.count = (freshName.count ?? 0) + 1)}-${process.pid}`

/** A small seeded generator, so that a failing run can be repeated. */
export function seeded (seed) {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  return { below: n => Math.floor(next() * n), chance: p => next() < p }
}
