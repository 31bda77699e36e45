// What a Hocuspocus provider was told is stored is there, whatever happened to the process.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import * as Y from 'yjs'

import { freshName, pause, seeded, Server, waitFor } from './harness.mjs'
import { Editor, socketOf, versions } from './hocuspocus.mjs'

const rounds = 20
const servers = []
after(() => Promise.all(servers.map(server => server.stop())))

async function start (...flags) {
  const server = await Server.start(...flags)
  servers.push(server)
  return server
}

/** What the server has of a document: only what is on disk, when no client has been there since its start. */
async function stored (server, name) {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, await server.export(name, 'update'))
  return doc.getMap('map')
}

/** A provider that edits in bursts and notes what was acknowledged: everything that it had said when nothing is unsynced. */
class Author {
  constructor (t, version, server, name, random) {
    this.socket = socketOf(t, version, server)
    this.editor = new Editor(t, version, this.socket, name)
    Object.assign(this, { name, random, said: [], acknowledged: [], bursts: 0 })
    // Before the next burst: a provider counts down, and up again with the next edit.
    this.editor.provider.on('unsyncedChanges', () => {
      if (this.editor.provider.unsyncedChanges === 0) this.acknowledged = [...this.said]
    })
  }

  async write (prefix, isRunning) {
    const { provider, doc } = this.editor
    for (let number = 0; isRunning();) {
      for (let left = 1 + this.random.below(5); left > 0; left--) {
        const key = `${prefix}.${number++}`
        this.said.push(key)
        doc.getMap('map').set(key, 'x'.repeat(this.random.below(200)))
      }
      while (isRunning() && provider.unsyncedChanges !== 0) await pause(1)
      if (provider.unsyncedChanges === 0) this.bursts++
    }
  }

  /** Goes without another word. */
  vanish () {
    this.editor.provider.destroy()
    this.socket.destroy()
  }
}

test(`after kill -9 every acknowledged edit is there, ${rounds} rounds`, { timeout: 300_000 }, async t => {
  const server = await start()
  const names = versions.map(() => freshName('killed'))
  const acknowledged = names.map(() => new Set())
  const random = seeded(Number(process.env.SEED ?? 1))

  for (let round = 0; round < rounds; round++) {
    const authors = names.map((name, index) => new Author(t, versions[(round + index) % 3], server, name, random))
    await Promise.all(authors.map(author => author.editor.settled()))
    let running = true
    const writing = authors.map((author, index) => author.write(`${round}.${index}`, () => running))
    await waitFor('everybody is acknowledged something', () => authors.every(author => author.bursts > 3), 20_000)
    await pause(random.below(50))
    const killed = server.kill()
    running = false
    // At once, so that nobody brings anything back.
    authors.forEach(author => author.vanish())
    await Promise.all([killed, ...writing])

    await server.restart()
    for (const [index, name] of names.entries()) {
      for (const key of authors[index].acknowledged) acknowledged[index].add(key)
      const map = await stored(server, name)
      const lost = [...acknowledged[index]].filter(key => !map.has(key))
      assert.deepEqual(lost, [], `round ${round}: ${lost.length} of ${acknowledged[index].size} acknowledged edits are lost`)
    }
    const reader = await Editor.join(t, versions[round % 3], server, names[round % 3])
    const missing = [...acknowledged[round % 3]].filter(key => !reader.doc.getMap('map').has(key))
    assert.deepEqual(missing, [], `round ${round}: not all of it reaches ${versions[round % 3].name}`)
    reader.provider.destroy()
  }
  const total = acknowledged.reduce((sum, { size }) => sum + size, 0)
  assert.ok(total > rounds * 20, `only ${total} edits were acknowledged`)
  t.diagnostic(`${total} acknowledged edits, none lost`)
})

for (const version of versions) {
  test(`${version.name} brings after a kill what was not acknowledged before it`, async t => {
    const server = await start()
    const name = freshName('brought')
    const one = await Editor.join(t, version, server, name)
    for (let round = 0; round < 3; round++) {
      for (let number = 0; number < 20; number++) one.text.insert(0, `${round}.${number} `)
      await server.kill()
      one.text.insert(0, `${round} without a server `)
      await server.restart()
      await waitFor('the server has all of it', async () => await server.export(name, 'text', '&types=text:text') === one.text.toString(), 20_000)
      await one.settled()
    }
  })

  test(`a server that ends in order has all that ${version.name} was acknowledged, and the provider comes back`, async t => {
    const server = await start()
    const names = Array.from({ length: 10 }, () => freshName('drained'))
    const socket = socketOf(t, version, server)
    const editors = names.map(name => new Editor(t, version, socket, name))
    await Promise.all(editors.map(editor => editor.settled()))
    editors.forEach((editor, index) => editor.text.insert(0, `text ${index}`))
    await Promise.all(editors.map(editor => editor.settled()))
    await server.quit()
    editors.forEach(editor => editor.text.insert(0, 'later '))
    await server.restart()
    await waitFor('everything is there', async () => {
      for (const [index, name] of names.entries()) {
        if (await server.export(name, 'text', '&types=text:text') !== `later text ${index}`) return false
      }
      return true
    }, 20_000)
    await Promise.all(editors.map(editor => editor.settled()))
  })
}
