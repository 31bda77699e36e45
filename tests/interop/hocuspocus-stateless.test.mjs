// Hocuspocus providers and a server with hooks, `examples/hooks.rs`: texts of the application, new documents, refused updates.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import * as Y from 'yjs'
import { WebSocket } from 'ws'

import { Example } from './examples.mjs'
import { freshName, waitFor } from './harness.mjs'
import { versions } from './hocuspocus.mjs'

let server
before(async () => { server = await Example.start('hooks') })
after(() => server.stop())

/** A provider of a document that has it, with the texts that it was sent. */
async function join (t, { Provider, Socket }, name, query = '') {
  const socket = new Socket({ url: `${server.ws}/hocuspocus${query}`, WebSocketPolyfill: WebSocket, delay: 100, minDelay: 50, maxDelay: 200 })
  t.after(() => socket.destroy())
  const texts = []
  const provider = new Provider({ websocketProvider: socket, name, document: new Y.Doc(), token: 'a token', onStateless: ({ payload }) => texts.push(payload) })
  provider.attach?.()
  t.after(() => provider.destroy())
  await waitFor('the provider is synced', () => provider.synced || provider.isSynced)
  return { provider, texts, doc: provider.document }
}

for (const version of versions) {
  describe(version.name, () => {
    test('a text is answered, in the order in which they were sent', async t => {
      const one = await join(t, version, freshName())
      for (let count = 0; count < 10; count++) one.provider.sendStateless(count % 2 ? 'ping' : 'what')
      await waitFor('all are answered', () => one.texts.length === 10)
      assert.deepEqual(one.texts, Array.from({ length: 10 }, (_, count) => count % 2 ? 'pong' : 'say what?'))
    })

    test('a text for everybody reaches all providers of the document and no others', async t => {
      const name = freshName()
      const [one, two, elsewhere] = await Promise.all([join(t, version, name), join(t, version, name), join(t, version, freshName())])
      one.provider.sendStateless('say hello')
      await waitFor('both hear it', () => one.texts.length === 1 && two.texts.length === 1)
      elsewhere.provider.sendStateless('ping')
      await waitFor('the answer comes', () => elsewhere.texts.length > 0)
      assert.deepEqual([one.texts, two.texts, elsewhere.texts], [['hello'], ['hello'], ['pong']])
    })

    test('a new document begins with its title, once', async t => {
      const name = freshName()
      const [one, two] = await Promise.all([join(t, version, name), join(t, version, name)])
      for (const { doc } of [one, two]) {
        await waitFor('the title is there', () => doc.getText('title').length > 0)
        assert.equal(doc.getText('title').toString(), name)
      }
    })

    test('a refused update stays unsynced and reaches nobody', async t => {
      const name = freshName()
      const [one, two] = await Promise.all([join(t, version, name), join(t, version, name)])
      await waitFor('nothing is unsynced', () => one.provider.unsyncedChanges === 0)
      one.doc.getText('text').insert(0, 'x'.repeat(20_000))
      two.doc.getText('text').insert(0, 'short')
      await waitFor('the short one is there', () => one.doc.getText('text').toString().includes('short'))
      await waitFor('the short one is acknowledged', () => two.provider.unsyncedChanges === 0)
      assert.equal(two.doc.getText('text').toString(), 'short')
      assert.ok(one.provider.unsyncedChanges > 0)
    })

    test('who asks for it says and hears in texts who types', async t => {
      const name = freshName()
      const [one, two] = await Promise.all([join(t, version, name, '?typing=1'), join(t, version, name, '?typing=1')])
      one.provider.setAwarenessField('user', { name: 'Ada' })
      one.provider.sendStateless(JSON.stringify({ type: 'typing', typing: true, place: 'title' }))
      await waitFor('the other hears it', () => two.texts.length > 0)
      assert.deepEqual(JSON.parse(two.texts[0]), { type: 'typing', clients: [{ clientId: one.doc.clientID, typing: true, place: 'title' }] })
    })
  })
}
