// A document's name is opaque on every wire: whatever it looks like, it is one document, never a path, never another's.

import assert from 'node:assert/strict'
import { readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Manager } from 'socket.io-client'

import { Example } from './examples.mjs'
import { freshName, Server, waitFor } from './harness.mjs'
import { Editor, socketOf, v3, v4 } from './hocuspocus.mjs'
import { fromHex } from './raw.mjs'

const traversals = [
  '../../etc/passwd', '..', '.', '...', '/', '//', '/etc/passwd', '..\\..\\windows', 'C:\\boot.ini', 'a/../b', 'a/./b', './a', 'a/..', '..;/a',
  '%2e%2e', '%2e%2e%2f%2e%2e%2fetc%2fpasswd', '%00', '%0a', '%252e%252e', '%c0%ae%c0%ae', '%', '%zz', 'file:///etc/passwd', '~root', '$HOME', '`id`', '$(id)',
  '; rm -rf /', '| cat', 'a&b', '<script>', "' or 1=1 --", '__proto__', 'constructor', '\u202e\u2066', '\ufeff', '\u2028', 'ﷺ', '日本', 'x'.repeat(1024)
]
const impossible = {
  empty: '',
  'with a NUL': 'a\0b',
  'with a line feed': 'a\nb',
  'with an escape': '\x1b[2J',
  'with a delete': 'a\x7f',
  'with a control character of the second set': 'a\x85b',
  'that is too long': 'x'.repeat(1025),
  'that is too long in bytes': 'ü'.repeat(513),
  'that is far too long': 'x'.repeat(100_000)
}
// A letter in the text `text`, whose author is not the same in any two documents.
const update = fromHex('01010100040104' + Buffer.from('text').toString('hex') + '016100')

let server
let guests
let filesBefore
before(async () => {
  server = await Server.start()
  guests = await Example.start('documents')
  filesBefore = await files(server.data)
})
after(() => Promise.all([server.stop(), guests.stop()]))

async function files (directory) {
  const names = await readdir(directory, { recursive: true })
  return names.sort()
}

async function list () {
  const names = []
  for (let query = '?limit=1000'; query !== undefined;) {
    const { documents, next } = await (await fetch(`${server.url}/api/docs${query}`)).json()
    names.push(...documents.map(document => document.name))
    query = next ? `?limit=1000&after=${encodeURIComponent(next)}` : undefined
  }
  return names
}

/** No file has another name than before, and nothing lies beside the directory. */
async function nothingEscaped () {
  assert.deepEqual(await files(server.data), filesBefore)
  const beside = await readdir(dirname(server.data))
  assert.ok(!beside.some(name => /passwd|boot|rm -rf/.test(name)), `${beside}`)
  for (const path of ['passwd', 'etc', '%2e%2e', '~root']) await assert.rejects(stat(join(server.data, path)))
}

describe('by HTTP', () => {
  test('each odd name is a document of its own', async () => {
    for (const [index, name] of traversals.entries()) {
      // What a client's URL parser would resolve before it asks.
      const path = `/api/docs/${encodeURIComponent(name).replaceAll('.', '%2E')}`
      const response = await raw(path + '/updates', index)
      assert.equal(response, 200, name)
    }
    const listed = await list()
    for (const name of traversals) assert.equal(listed.filter(other => other === name).length, 1, JSON.stringify(name))
    assert.equal(listed.length, traversals.length)
    await nothingEscaped()
  })

  for (const [what, name] of Object.entries(impossible)) {
    test(`a name ${what} is refused`, async () => {
      const before = await list()
      const response = await fetch(`${server.url}/api/docs/${encodeURIComponent(name)}/updates`, { method: 'POST', body: update })
      await response.arrayBuffer()
      assert.ok(response.status >= 400 && response.status < 500, `${response.status}`)
      assert.deepEqual(await list(), before)
    })
  }

  /** A request whose path is sent as it is. */
  async function raw (path) {
    const { request } = await import('node:http')
    const { hostname, port } = new URL(server.url)
    return new Promise((resolve, reject) => {
      const asked = request({ hostname, port, path, method: 'POST' }, response => { response.resume(); resolve(response.statusCode) })
      asked.on('error', reject)
      asked.end(update)
    })
  }
})

describe('by Hocuspocus', () => {
  test('each odd name is a document of its own', async t => {
    const socket = socketOf(t, v4, server)
    const editors = traversals.map(name => new Editor(t, v4, socket, name))
    await Promise.all(editors.map(editor => editor.settled()))
    editors.forEach((editor, index) => editor.text.insert(0, `this is ${index}: `))
    await Promise.all(editors.map(editor => editor.settled()))
    for (const [index, name] of traversals.entries()) {
      const reader = await Editor.join(t, v3, server, name)
      assert.ok(reader.text.toString().startsWith(`this is ${index}: `), `${JSON.stringify(name)}: ${reader.text}`)
      reader.provider.destroy()
    }
    await nothingEscaped()
  })

  for (const [what, name] of Object.entries(impossible)) {
    // An empty name closes the connection, and what follows a zero is a session.
    if (name === '' || name.includes('\0')) continue
    test(`a name ${what} is refused with a reason, and the others stay`, async t => {
      const socket = socketOf(t, v4, server)
      const good = new Editor(t, v4, socket, freshName())
      const bad = new Editor(t, v4, socket, name)
      await good.settled()
      await waitFor('it is refused', () => bad.denied.length > 0)
      assert.match(bad.denied[0], /longer than 1024 bytes|control character/)
      good.text.insert(0, 'still here')
      await good.settled()
    })
  }

  test('what follows a zero is a session and no name', async t => {
    const before = await list()
    const name = freshName('session')
    const one = new Editor(t, v4, socketOf(t, v4, server), `${name}\0../../etc/passwd`)
    await one.settled()
    one.text.insert(0, 'x')
    await one.settled()
    assert.deepEqual((await list()).filter(listed => !before.includes(listed)), [name])
    await nothingEscaped()
  })
})

describe('by y-socket.io', () => {
  // What Socket.IO itself cuts off, and what is decoded as on the other wires: those names go percent-encoded.
  const namespace = name => `/yjs|${/[,?%]/.test(name) ? encodeURIComponent(name) : name}`

  /** A client of a namespace, whatever it is called. */
  function client (t, path) {
    const manager = new Manager(server.url, { transports: ['websocket'], forceNew: true, reconnection: false })
    const socket = manager.socket(path)
    t.after(() => socket.disconnect())
    return socket
  }

  test('each odd name is a document of its own', async t => {
    for (const name of traversals) {
      const socket = client(t, namespace(name))
      const answer = new Uint8Array(await socket.timeout(10_000).emitWithAck('sync-step-1', fromHex('00')))
      assert.ok(Buffer.from(answer).includes('this is '), `${JSON.stringify(name)} is another document`)
      socket.disconnect()
    }
    await nothingEscaped()
  })

  for (const [what, name] of Object.entries(impossible)) {
    test(`a name ${what} is refused with the reason`, async t => {
      const before = await list()
      const socket = client(t, namespace(name))
      const error = await new Promise(resolve => { socket.once('connect_error', resolve); socket.once('connect', () => resolve(new Error('let in'))) })
      assert.match(error.message, /document name/)
      assert.deepEqual(await list(), before)
    })
  }
})

describe('by topics of documents', () => {
  const join = (t, doc) => {
    const socket = new Manager(guests.url, { transports: ['websocket'], forceNew: true, reconnection: false }).socket('/documents')
    t.after(() => socket.disconnect())
    const heard = []
    socket.onAny((event, value) => heard.push({ event, ...value }))
    return { socket, heard, joined: socket.timeout(10_000).emitWithAck('join', { doc }) }
  }

  test('each odd name is a document of its own', async t => {
    for (const name of traversals) {
      const { socket, heard, joined } = join(t, name)
      assert.equal(await joined, true, JSON.stringify(name))
      const { room } = await waitFor('presence', () => heard.find(({ event }) => event === 'presence'))
      assert.equal(room, `doc:${name}`)
      socket.disconnect()
    }
  })

  for (const [what, name] of Object.entries(impossible)) {
    test(`a name ${what} is unavailable, and the client stays`, async t => {
      const { socket, heard, joined } = join(t, name)
      assert.equal(await joined, false)
      const { retrying, reason } = await waitFor('it is told', () => heard.find(({ event }) => event === 'unavailable'))
      assert.equal(retrying, false)
      assert.match(reason, /document name/)
      assert.equal(await socket.timeout(10_000).emitWithAck('join', { doc: freshName() }), true)
    })
  }
})
