// The servers in `examples/`, which `cargo build --examples` leaves beside the program.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const binary = process.env.YDOCK_BIN ?? fileURLToPath(new URL('../../target/debug/ydock', import.meta.url))
const startLimit = 20_000

/** A running example that keeps its documents in memory. */
export class Example {
  static async start (name, variables = {}) {
    const example = new Example()
    await example.#launch(name, { YDOCK_STORE__KIND: 'memory', ...variables })
    return example
  }

  get url () { return `http://${this.address}` }
  get ws () { return `ws://${this.address}` }

  api (name, rest = '') { return `${this.url}/api/docs/${encodeURIComponent(name)}${rest}` }

  async stop () {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const ended = once(this.child, 'exit')
    this.child.kill('SIGINT')
    const limit = setTimeout(() => this.child.kill('SIGKILL'), startLimit)
    await ended
    clearTimeout(limit)
  }

  async #launch (name, variables) {
    const path = fileURLToPath(new URL(`examples/${name}`, `file://${binary}`))
    const child = spawn(path, ['127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, YDOCK_LOG__FILTER: 'warn', ...variables } })
    this.child = child
    const orphaned = () => child.kill('SIGKILL')
    process.once('exit', orphaned)
    child.once('exit', () => process.off('exit', orphaned))
    this.address = await new Promise((resolve, reject) => {
      const limit = setTimeout(() => { child.kill('SIGKILL'); reject(new Error(`${name} did not say that it listens`)) }, startLimit)
      const fail = why => { clearTimeout(limit); reject(why) }
      child.once('error', error => fail(new Error(`there is no example at ${path}: run \`cargo build --examples\``, { cause: error })))
      child.once('exit', code => fail(new Error(`${name} ended with ${code} at the start`)))
      createInterface({ input: child.stdout }).on('line', line => {
        const address = /listening on http:\/\/(\S+)/.exec(line)?.[1]
        if (address) { clearTimeout(limit); resolve(address) }
      })
    })
  }
}
