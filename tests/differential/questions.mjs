// Questions to tests/differential.rs, which answers each line that is written here with one line: the result of the
// named operation on the given updates.

import * as readline from 'node:readline'

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]()
export const hex = (bytes) => Buffer.from(bytes).toString('hex')
export const bytes = (text) => new Uint8Array(Buffer.from(text, 'hex'))
export const hexes = (updates) => updates.map(hex)

export const ask = async (op, fields = {}) => {
  process.stdout.write(JSON.stringify({ op, ...fields }) + '\n')
  const { value, done } = await lines.next()
  if (done) process.exit(1)
  return JSON.parse(value)
}

/** Tells how it went, and ends. */
export const finish = (summary) => summary.then(
  (summary) => log(JSON.stringify({ op: 'done', summary })),
  (error) => log(JSON.stringify({ op: 'failed', message: String(error.message).slice(0, 20000), stack: error.stack.slice(-2000) }))
).finally(() => process.exit(0))

// Yjs warns there, where only questions may stand.
const log = console.log
console.log = () => {}
console.error = () => {}
