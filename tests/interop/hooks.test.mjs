// A server with hooks, `examples/hooks.rs`, and clients of y-websocket and y-socket.io: new documents, refused updates.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import * as decoding from 'lib0/decoding'
import { SocketIOProvider } from 'y-socket.io'
import * as Y from 'yjs'

import { Client, versions } from './clients.mjs'
import { Example } from './examples.mjs'
import { freshName, waitFor } from './harness.mjs'

let server
before(async () => { server = await Example.start('hooks') })
after(() => server.stop())

/** A member that has the document, and the reasons for which it was refused something. */
async function viaYWebSocket (t, version, name) {
  const client = new Client(t, version, server, name)
  const reasons = []
  client.provider.messageHandlers[2] = (_, decoder) => { decoding.readVarUint(decoder); reasons.push(decoding.readVarString(decoder)) }
  await client.synced()
  return { reasons, doc: client.doc, isConnected: () => client.provider.wsconnected }
}

async function viaYSocketIo (t, _, name) {
  const doc = new Y.Doc()
  const provider = new SocketIOProvider(server.ws, name, doc, { disableBc: true }, { reconnectionDelay: 50 })
  provider.disconnectBc = () => {}
  const reasons = []
  provider.socket.on('exception', ({ message }) => reasons.push(message))
  t.after(() => { provider.destroy(); provider.socket.disconnect(); doc.destroy() })
  await waitFor('y-socket.io is synced', () => provider.synced)
  return { reasons, doc, isConnected: () => provider.socket.connected }
}

const fronts = [
  ...versions.map(version => ({ name: version.name, join: viaYWebSocket, version })),
  { name: 'y-socket.io', join: viaYSocketIo }
]

for (const { name: front, join, version } of fronts) {
  describe(front, () => {
    test('a new document begins with its title, once', async t => {
      const name = freshName()
      const members = await Promise.all([join(t, version, name), join(t, version, name)])
      for (const { doc } of members) {
        await waitFor('the title is there', () => doc.getText('title').length > 0)
        assert.equal(doc.getText('title').toString(), name)
      }
    })

    test('whose update is refused hears why and stays, and it reaches nobody and not the document', async t => {
      const name = freshName()
      const [one, two] = await Promise.all([join(t, version, name), join(t, version, name)])
      one.doc.getText('text').insert(0, 'x'.repeat(20_000))
      await waitFor('the reason is said', () => one.reasons.length > 0)
      assert.match(one.reasons[0], /at most 10000 bytes at once/)
      two.doc.getText('text').insert(0, 'short')
      await waitFor('the short one is there', () => one.doc.getText('text').toString().includes('short'))
      assert.equal(two.doc.getText('text').toString(), 'short')
      assert.deepEqual([two.reasons, one.isConnected(), two.isConnected()], [[], true, true])
      const late = await join(t, version, name)
      await waitFor('a newcomer has the short one', () => late.doc.getText('text').length > 0)
      assert.equal(late.doc.getText('text').toString(), 'short')
    })
  })
}

test('refusals are counted', async () => {
  const metrics = await (await fetch(`${server.url}/metrics`)).text()
  assert.match(metrics, new RegExp(`^ydock_hook_refusals_total ${fronts.length}$`, 'm'))
  assert.match(metrics, /^ydock_hook_failures_total 0$/m)
})
