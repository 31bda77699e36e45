// What was acknowledged is there, whatever happened to the process.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as Y from 'yjs'

import { Client, converged, v2, v3, v4 } from './clients.mjs'
import { freshName, pause, Server, waitFor } from './harness.mjs'
import { Raw, SYNC, update as updateMessage } from './raw.mjs'

const read = update => {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, update)
  return doc
}

test('after kill -9 under load every acknowledged update is there, twice', async t => {
  const server = await Server.start()
  t.after(() => server.stop())
  const name = freshName('killed')
  const members = await Promise.all([v2, v3, v4].map(version => Client.join(t, version, server, name)))
  const acknowledged = new Set()

  for (let round = 0; round < 2; round++) {
    let running = true
    const load = [
      ...members.map(async (member, index) => {
        for (let i = 0; running; i++) {
          member.text.insert(0, `${round}.${index}.${i} `)
          await pause(3)
        }
      }),
      ...[0, 1].map(async poster => {
        for (let i = 0; running; i++) {
          const key = `post ${round}.${poster}.${i}`
          const doc = new Y.Doc()
          doc.getMap('map').set(key, true)
          const response = await server.post(name, Y.encodeStateAsUpdate(doc)).catch(() => ({}))
          if (response.ok) acknowledged.add(key)
        }
      }),
      echoed(t, server, name, `echo ${round}`, acknowledged, () => running)
    ]
    const before = acknowledged.size
    await waitFor('much is acknowledged', () => acknowledged.size > before + 100, 20_000)
    await server.kill()
    running = false
    await Promise.all(load)

    await server.restart()
    const map = read(await server.export(name, 'update')).getMap('map')
    const lost = [...acknowledged].filter(key => !map.has(key))
    assert.deepEqual(lost, [], `${lost.length} of ${acknowledged.size} acknowledged updates are lost`)

    // The members come back by themselves and bring what they had.
    await waitFor('the members are back', () => members.every(member => member.provider.synced), 20_000)
    await converged(members, 20_000)
    await waitFor('the server has it too', async () => (
      read(await server.export(name, 'update')).getText('text').toString() === members[0].text.toString()
    ), 10_000)
  }
})

test('a server that is told to end says so to its members, and has everything when it starts again', async t => {
  const server = await Server.start()
  t.after(() => server.stop())
  const names = Array.from({ length: 10 }, () => freshName('drained'))
  const members = await Promise.all(names.map(name => Client.join(t, v3, server, name)))
  const raw = await Raw.join(t, `${server.ws}/${names[0]}`)
  members.forEach((member, index) => { for (let i = 0; i < 50; i++) member.text.insert(0, `${index}.${i} `) })
  await waitFor('the first member’s edits are accepted', () => raw.updates.length >= 50)

  const started = performance.now()
  server.child.kill('SIGTERM')
  await waitFor('it ended', () => !server.isRunning, 20_000)
  assert.equal(server.child.exitCode, 0, server.errors)
  assert.ok(performance.now() - started < 15_000)
  const { code } = await raw.closes()
  assert.ok([1001, 1012, 4503].includes(code), `closed with ${code}`)

  for (const member of members) member.provider.shouldConnect = false
  await server.restart()
  assert.equal(read(await server.export(names[0], 'update')).getText('text').toString(), members[0].text.toString())
  for (const member of members) member.provider.connect()
  await waitFor('the members are back', () => members.every(member => member.provider.synced), 20_000)
  for (const [index, name] of names.entries()) {
    await waitFor('every document is whole', async () => (
      read(await server.export(name, 'update')).getText('text').toString() === members[index].text.toString()
    ))
  }
})

test('a document that everybody left is there for the next, in one piece', async t => {
  const server = await Server.start()
  t.after(() => server.stop())
  const name = freshName('left')
  let expected = ''
  for (let round = 0; round < 20; round++) {
    const member = await Client.join(t, [v2, v3, v4][round % 3], server, name)
    assert.equal(member.text.toString(), expected)
    member.text.insert(0, `${round} `)
    expected = member.text.toString()
    // The reader must not race the writer's goodbye: only what another has seen is certain to be accepted.
    const witness = await Client.join(t, v3, server, name)
    await waitFor('it is accepted', () => witness.text.toString() === expected)
    await Promise.all([member.offline(), witness.offline()])
  }
})

/** A raw member that counts an update as acknowledged when its echo comes. */
async function echoed (t, server, name, prefix, acknowledged, isRunning) {
  const member = await Raw.join(t, `${server.ws}/${name}?ack=echo`)
  const waiting = new Map()
  let seen = 0
  for (let i = 0; isRunning() && !member.closed; i++) {
    const key = `${prefix}.${i}`
    const doc = new Y.Doc()
    doc.getMap('map').set(key, true)
    const update = Y.encodeStateAsUpdate(doc)
    waiting.set(Buffer.from(update).toString('hex'), key)
    member.send(updateMessage(update))
    await pause(2)
    for (; seen < member.frames.length; seen++) {
      const frame = member.frames[seen]
      const key = frame.type === SYNC && frame.subtype === 2 && waiting.get(Buffer.from(frame.payload).toString('hex'))
      if (key) acknowledged.add(key)
    }
  }
  assert.ok([...acknowledged].some(key => key.startsWith(prefix)), 'no echo ever came')
}
