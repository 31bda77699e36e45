// The published client of y-socket.io, alone and with y-websocket clients in one document.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { io } from 'socket.io-client'
import { SocketIOProvider } from 'y-socket.io'
import * as Y from 'yjs'

import { Client, converged, v2, v3 } from './clients.mjs'
import { freshName, pause, Server, waitFor } from './harness.mjs'

let server
before(async () => { server = await Server.start() })
after(() => server.stop())

/** A document with a provider of y-socket.io; it has what the tests want of a y-websocket client. */
class SocketIoClient {
  constructor (t, server, name, options = {}) {
    this.doc = new Y.Doc()
    this.closes = []
    this.exceptions = []
    this.provider = new SocketIOProvider(server.ws, name, this.doc, { disableBc: true, ...options }, { reconnectionDelay: 50, reconnectionDelayMax: 200 })
    // It opens a channel between tabs although it is told not to use any, and keeps the process alive by it.
    this.provider.disconnectBc = () => {}
    this.socket.on('disconnect', reason => this.closes.push(reason))
    this.socket.on('exception', exception => this.exceptions.push(exception))
    t.after(() => this.end())
  }

  static async join (...args) {
    const client = new SocketIoClient(...args)
    await client.synced()
    return client
  }

  get socket () { return this.provider.socket }
  get awareness () { return this.provider.awareness }
  get id () { return this.doc.clientID }
  get text () { return this.doc.getText('text') }
  get content () {
    const { doc } = this
    return { text: this.text.toString(), map: doc.getMap('map').toJSON(), array: doc.getArray('array').toJSON(), xml: doc.getXmlFragment('xml').toString() }
  }

  synced () { return waitFor('y-socket.io is synced', () => this.provider.synced) }

  end () {
    this.provider.destroy()
    // The provider leaves it trying when it is not connected.
    this.socket.disconnect()
    this.doc.destroy()
  }
}

/** Has a server end in order and start again, with these flags. */
async function restarted (server, ...flags) {
  server.child.kill('SIGTERM')
  await waitFor('it has ended', () => !server.isRunning, 20_000)
  server.flags = flags
  await server.restart()
}

const sees = (viewer, client, name) => waitFor(`${name} is seen`, () => viewer.awareness.getStates().get(client.id)?.name === name)
const isGone = (viewer, client, ms) => waitFor('it is gone', () => !viewer.awareness.getStates().has(client.id), ms)

test('edits go both ways between both wires and converge', async t => {
  const name = freshName()
  const clients = [
    await SocketIoClient.join(t, server, name), await Client.join(t, v3, server, name),
    await SocketIoClient.join(t, server, name), await Client.join(t, v2, server, name)
  ]
  for (let round = 0; round < 25; round++) clients.forEach((client, index) => client.text.insert(0, `${index}`))
  const content = await converged(clients)
  assert.equal(content.text.length, 100)
  assert.equal(await server.export(name, 'text'), content.text)
})

test('who comes later gets everything, and brings what it had before', async t => {
  const name = freshName()
  const writer = await Client.join(t, v3, server, name)
  writer.text.insert(0, 'from y-websocket, ')
  const late = new SocketIoClient(t, server, name)
  late.text.insert(0, 'written before the connection, ')
  await late.synced()
  const content = await converged([writer, late])
  assert.ok(content.text.includes('from y-websocket') && content.text.includes('before the connection'))
  const last = await Client.join(t, v2, server, name)
  assert.equal(last.text.toString(), content.text)
})

test('a document of some megabytes arrives whole', async t => {
  const name = freshName()
  const writer = await Client.join(t, v3, server, name)
  for (let part = 0; part < 8; part++) writer.text.insert(0, `${part}`.repeat(500_000))
  await waitFor('the server has it', async () => (await server.export(name, 'text')).length === 4_000_000, 20_000)
  const reader = new SocketIoClient(t, server, name)
  let length
  reader.provider.once('synced', () => { length = reader.text.length })
  await waitFor('it is synced', () => length !== undefined)
  assert.equal(length, 4_000_000, 'who is synced has everything')
})

test('who works offline brings it along afterwards', async t => {
  const name = freshName()
  const [one, two] = [await SocketIoClient.join(t, server, name), await Client.join(t, v3, server, name)]
  one.provider.disconnect()
  await waitFor('it is offline', () => !one.socket.connected)
  one.text.insert(0, 'offline')
  two.text.insert(0, 'meanwhile ')
  one.provider.connect()
  await converged([one, two])
  assert.equal(two.text.length, 17)
})

describe('presence', () => {
  test('goes both ways and changes', async t => {
    const name = freshName()
    const [one, two] = [await SocketIoClient.join(t, server, name), await Client.join(t, v3, server, name)]
    one.awareness.setLocalState({ name: 'Ada', cursor: { at: 1 } })
    two.awareness.setLocalState({ name: 'Ben' })
    await Promise.all([sees(two, one, 'Ada'), sees(one, two, 'Ben')])
    assert.deepEqual(two.awareness.getStates().get(one.id).cursor, { at: 1 })
    one.awareness.setLocalStateField('name', 'Ada Lovelace')
    await sees(two, one, 'Ada Lovelace')
    const late = await SocketIoClient.join(t, server, name)
    await Promise.all([sees(late, one, 'Ada Lovelace'), sees(late, two, 'Ben')])
  })

  test('of who leaves is gone at once, on both sides', async t => {
    const name = freshName()
    const [one, two, witness] = [await SocketIoClient.join(t, server, name), await Client.join(t, v3, server, name), await SocketIoClient.join(t, server, name)]
    one.awareness.setLocalState({ name: 'one' })
    two.awareness.setLocalState({ name: 'two' })
    await Promise.all([sees(witness, one, 'one'), sees(witness, two, 'two'), sees(two, one, 'one')])
    one.provider.disconnect()
    await Promise.all([isGone(two, one, 2_000), isGone(witness, one, 2_000)])
    two.vanish()
    await isGone(witness, two, 2_000)
  })

  test('of whose network drops is gone at once', async t => {
    const name = freshName()
    const [one, two] = [await SocketIoClient.join(t, server, name), await Client.join(t, v3, server, name)]
    one.awareness.setLocalState({ name: 'unlucky' })
    await sees(two, one, 'unlucky')
    one.socket.io.reconnection(false)
    one.socket.io.engine.transport.ws.terminate()
    await isGone(two, one, 2_000)
  })
})

for (const [what, name] of [
  ['slashes', freshName('team/a/b')], ['spaces and other scripts', freshName('my röom 日本')], ['a bar', freshName('a|b')]
]) {
  test(`a name with ${what} means one document on both wires`, async t => {
    const [one, two] = [await SocketIoClient.join(t, server, name), await Client.join(t, v3, server, name)]
    one.text.insert(0, 'one')
    assert.equal((await converged([one, two])).text, 'one')
    assert.equal(await server.export(name, 'text'), 'one')
  })
}

test('a name that Socket.IO cannot carry is carried percent-encoded', async t => {
  const name = freshName('a, b?c#d')
  const one = await SocketIoClient.join(t, server, encodeURIComponent(name))
  one.text.insert(0, 'encoded')
  await waitFor('it is stored under its name', async () => await server.export(name, 'text') === 'encoded')
})

test('an impossible name is refused with the reason', async t => {
  for (const [name, message] of [['', 'the document name is empty'], ['x'.repeat(1025), 'the document name is longer than 1024 bytes'], ['%FF', 'the document name is not UTF-8']]) {
    const client = new SocketIoClient(t, server, name)
    const error = await new Promise(resolve => client.socket.once('connect_error', resolve))
    assert.equal(error.message, message)
  }
})

test('whoever sends no update is sent away with the reason, and nobody else', async t => {
  const name = freshName()
  const [bad, good, other] = [await SocketIoClient.join(t, server, name), await SocketIoClient.join(t, server, name), await Client.join(t, v3, server, name)]
  bad.socket.emit('sync-update', new Uint8Array([1, 2, 3]))
  await waitFor('it is sent away', () => bad.closes.length > 0)
  assert.deepEqual(bad.closes, ['io server disconnect'])
  assert.equal(bad.exceptions[0].status, 'error')
  good.text.insert(0, 'still here')
  await converged([good, other])
  assert.deepEqual([good.closes, other.closes], [[], []])
})

test('what is no binary value is an exception and ends nothing', async t => {
  const client = await SocketIoClient.join(t, server, freshName())
  for (const event of ['sync-update', 'awareness-update', 'no-such-event']) client.socket.emit(event, { not: 'binary' })
  await waitFor('there are exceptions', () => client.exceptions.length === 3)
  assert.deepEqual(client.closes, [])
})

test('a raw client gets the difference to what it knows', async t => {
  const name = freshName()
  const writer = await SocketIoClient.join(t, server, name)
  writer.text.insert(0, 'first')
  await waitFor('it is there', async () => await server.export(name, 'text') === 'first')
  const socket = io(`${server.url}/yjs|${name}`, { transports: ['websocket'], forceNew: true })
  t.after(() => socket.disconnect())
  const ask = vector => socket.timeout(5_000).emitWithAck('sync-step-1', vector)
  const everything = new Uint8Array(await ask(new Uint8Array([0])))
  const doc = new Y.Doc()
  Y.applyUpdate(doc, everything)
  assert.equal(doc.getText('text').toString(), 'first')
  // Many questions at once have an answer each, and together everything.
  const answers = await Promise.all(Array.from({ length: 40 }, () => ask(new Uint8Array([0]))))
  assert.equal(answers.length, 40)
  const nothing = await ask(Y.encodeStateVector(doc))
  assert.ok(new Uint8Array(nothing).length < everything.length)
})

test('after a restart of the server everybody is back with what was written meanwhile', async t => {
  const own = await Server.start()
  t.after(() => own.stop())
  const name = freshName()
  const [one, two] = [await SocketIoClient.join(t, own, name), await Client.join(t, v3, own, name)]
  one.text.insert(0, 'before ')
  await converged([one, two])
  await own.kill()
  await waitFor('it is noticed', () => !one.socket.connected)
  one.text.insert(0, 'while it is down ')
  await own.restart()
  await converged([one, two], 20_000)
  assert.equal(two.text.toString(), 'while it is down before ')
  await waitFor('it is synced again', () => one.provider.synced)
})

test('a server that stops in order has its clients come back', async t => {
  const own = await Server.start()
  t.after(() => own.stop())
  const one = await SocketIoClient.join(t, own, freshName())
  one.text.insert(0, 'kept')
  await restarted(own)
  await waitFor('it is back', () => one.socket.connected && one.provider.synced, 20_000)
  assert.notEqual(one.closes[0], 'io server disconnect')
})

test('who may only read gets everything, changes nothing and is told so', async t => {
  const own = await Server.start()
  t.after(() => own.stop())
  const name = freshName()
  const writer = await SocketIoClient.join(t, own, name)
  writer.text.insert(0, 'given')
  await waitFor('it is stored', async () => await own.export(name, 'text') === 'given')
  await restarted(own, '--everyone', 'view')
  const reader = await SocketIoClient.join(t, own, name)
  await waitFor('it reads', () => reader.text.toString() === 'given')
  reader.awareness.setLocalState({ name: 'reader' })
  reader.text.insert(0, 'own ')
  await waitFor('it is told', () => reader.exceptions.length > 0)
  assert.equal(reader.exceptions[0].message, 'this session may only read')
  const witness = await SocketIoClient.join(t, own, name)
  await sees(witness, reader, 'reader')
  await waitFor('it reads too', () => witness.text.toString() === 'given')
  assert.equal(await own.export(name, 'text'), 'given')
  assert.deepEqual(reader.closes, [])
})

test('a deleted document ends its clients for good', async t => {
  const name = freshName()
  const [one, two] = [await SocketIoClient.join(t, server, name), await Client.join(t, v3, server, name)]
  one.text.insert(0, 'gone soon')
  await converged([one, two])
  const response = await fetch(server.api(name), { method: 'DELETE' })
  assert.equal(response.status, 204)
  await waitFor('it is sent away', () => one.closes.length > 0)
  assert.deepEqual(one.closes, ['io server disconnect'])
  assert.equal(one.exceptions[0].message, 'the document was deleted')
  // Whoever still has a copy does not bring it back.
  one.provider.connect()
  await waitFor('it is sent away again', () => one.closes.length > 1)
  assert.equal((await fetch(server.api(name))).status, 404)
})

test('a slow reader is brought up to date and stays', async t => {
  const resyncs = async () => Number(/^ydock_resyncs_total (\d+)/m.exec(await (await fetch(`${server.url}/metrics`)).text())[1])
  const name = freshName()
  const [slow, writer] = [await SocketIoClient.join(t, server, name), await Client.join(t, v3, server, name)]
  const before = await resyncs()
  const { _socket: raw } = slow.socket.io.engine.transport.ws
  raw.pause()
  // More than all buffers between the two hold.
  for (let part = 0; part < 50; part++) {
    writer.text.insert(0, `${part % 10}`.repeat(500_000))
    await pause(5)
  }
  await waitFor('the server has all of it', async () => (await server.export(name, 'text')).length === 25_000_000, 30_000)
  raw.resume()
  await converged([slow, writer], 30_000)
  assert.ok(await resyncs() > before)
  assert.deepEqual(slow.closes, [])
})
