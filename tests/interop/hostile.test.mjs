// Updates that crash, hang or bloat CRDT libraries. They hurt their sender and nobody else.
//
// The cases come from fuzzing yrs; some make Yjs throw as well. An uncaught error in one of the clients here fails the test that it
// happens in, so that a room that relays such an update is found out.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import * as Y from 'yjs'

import { Client, v2, v3 } from './clients.mjs'
import { freshName, Server, waitFor } from './harness.mjs'
import { Raw, fromHex, step2, update as updateMessage } from './raw.mjs'

const { base, cases } = JSON.parse(readFileSync(new URL('../fixtures/hostile-updates.json', import.meta.url)))
const nested = fromHex('010105000801016101' + '7501'.repeat(20_000) + '7e00')
const sequences = [
  ...cases.map(({ effect, updates }, index) => ({ what: `case ${index} (${effect})`, updates: updates.map(hex => fromHex(hex === 'BASE' ? base : hex)) })),
  { what: 'twenty thousand nested arrays', updates: [nested] }
]
const patience = 5_000

let server
let bystander
before(async () => {
  server = await Server.start()
  bystander = freshName('bystander')
  const doc = new Y.Doc()
  doc.getText('text').insert(0, 'bystander')
  assert.ok((await server.post(bystander, Y.encodeStateAsUpdate(doc))).ok)
})
after(() => server.stop())

/** Two honest members of a document, and what they check: that the server and the room live on. */
async function witnesses (t, name) {
  const [one, two] = await Promise.all([Client.join(t, v3, server, name), Client.join(t, v2, server, name)])
  let edits = 0
  return async () => {
    assert.ok(server.isRunning, `the server died\n${server.errors}`)
    const mark = `edit ${++edits}`
    one.map.set('mark', mark)
    await waitFor('the other member receives', () => two.map.get('mark') === mark, patience)
    // The attacked document is asked for, so that a worker meets the update; the bystander must not wait for it.
    fetch(server.api(name, '/snapshot?format=json&types=map:map'), { signal: AbortSignal.timeout(60_000) })
      .then(response => response.arrayBuffer(), () => {})
    const started = performance.now()
    assert.equal(await server.export(bystander, 'text', '&types=text:text'), 'bystander')
    assert.ok(performance.now() - started < patience, `${Math.round(performance.now() - started)} ms for another document`)
    assert.deepEqual([one.closes, two.closes], [[], []])
  }
}

/** Sends on one socket, and on a new one whenever the server has closed it. */
async function attack (t, name, messages) {
  const url = `${server.ws}/${name}`
  let attacker = await Raw.join(t, url)
  for (const message of messages) {
    if (attacker.closed) attacker = await Raw.join(t, url)
    attacker.send(message)
    await Promise.race([attacker.settled(), attacker.closes()])
  }
}

const distinct = updates => new Map(updates.map(update => [Buffer.from(update).toString('hex'), update])).values()

describe('by a member', () => {
  for (const { what, updates } of sequences) {
    test(`${what}, one after the other`, async t => {
      const name = freshName('hostile')
      const check = await witnesses(t, name)
      await attack(t, name, updates.map(updateMessage))
      await check()
      await attack(t, name, updates.map(step2))
      await check()
    })
  }

  test('each update alone in its document', async t => {
    for (const update of distinct(sequences.flatMap(({ updates }) => updates))) {
      const name = freshName('alone')
      const check = await witnesses(t, name)
      await attack(t, name, [updateMessage(update)])
      await check()
    }
  })

  test('all of them one after the other in one document', async t => {
    const name = freshName('hostile')
    const check = await witnesses(t, name)
    await attack(t, name, sequences.flatMap(({ updates }) => updates).map(updateMessage))
    await check()
  })
})

describe('by HTTP', () => {
  for (const { what, updates } of sequences) {
    test(`${what}, one after the other`, async t => {
      const name = freshName('posted')
      const check = await witnesses(t, name)
      for (const update of updates) {
        const response = await server.post(name, update)
        assert.ok(response.ok || (response.status >= 400 && response.status < 500), `${response.status} ${await response.text()}`)
        await response.arrayBuffer().catch(() => {})
      }
      await check()
    })
  }
})

test('after all of that the documents are there after a restart', async () => {
  await server.kill()
  await server.restart()
  assert.equal(await server.export(bystander, 'text', '&types=text:text'), 'bystander')
})
