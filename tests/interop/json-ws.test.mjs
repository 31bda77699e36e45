// JSON over a WebSocket: the same gateways for clients that bring no library.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { io } from 'socket.io-client'
import WebSocket from 'ws'
import { Server } from './harness.mjs'

let server

before(async () => { server = await Server.start() })
after(() => server?.stop())

test('an event is answered by its acknowledgement, or by a bare value for who gave no id', async t => {
  const client = await Json.open(t, '/ws?namespace=/events')
  client.send({ event: 'message', data: 'hello', id: 'a1' })
  assert.deepEqual(await client.next(), { event: 'ack', id: 'a1', data: 'Echo: hello' })
  client.send({ event: 'message', data: 'bare' })
  assert.equal(await client.next(), 'Echo: bare')
})

test('a stream comes as events, until the client goes', async t => {
  const client = await Json.open(t, '/ws?namespace=/events')
  client.send({ event: 'events' })
  for (const data of [0, 1, 2]) assert.deepEqual(await client.next(), { event: 'events', data })
})

test('what is wrong is an exception, and an acknowledgement for who asked; the connection goes on', async t => {
  const client = await Json.open(t, '/ws?namespace=/chat&username=Ada&token=x')
  client.send({ event: 'message', data: '', id: 7 })
  const told = { status: 'error', message: 'Message cannot be empty', cause: { pattern: 'message', data: '' } }
  assert.deepEqual(await client.next(), { event: 'exception', data: told })
  assert.deepEqual(await client.next(), { event: 'ack', id: 7, data: told })
  client.socket.send('{ no json')
  assert.equal((await client.next()).event, 'exception')
  client.send({ event: 'nonsense', data: 1 })
  assert.match((await client.next()).data.message, /Unknown event/)
  client.send({ event: 'message', data: 'still here', id: 8 })
  assert.deepEqual(await client.next(), { event: 'ack', id: 8, data: 'still here' })
})

test('whom the guard does not let in is told why, and the close code says that it will stay so', async t => {
  const client = await Json.open(t, '/ws?namespace=/chat&username=Ada')
  assert.deepEqual(await client.next(), { event: 'connect_error', data: { message: 'Forbidden resource' } })
  assert.equal(await client.closed, 4403)
  const nowhere = await Json.open(t, '/ws?namespace=/nowhere')
  assert.deepEqual(await nowhere.next(), { event: 'connect_error', data: { message: 'Invalid namespace' } })
  assert.equal(await nowhere.closed, 4404)
})

test('a JSON client and a Socket.IO client talk in one room', async t => {
  const ada = await Json.open(t, '/ws?namespace=/chat&username=Ada&token=x')
  const ben = io(`${server.url}/chat`, { transports: ['websocket'], forceNew: true, auth: { username: 'Ben', token: 'y' } })
  t.after(() => ben.close())
  await new Promise(resolve => ben.on('connect', resolve))
  ada.send({ event: 'joinRoom', data: 'mixed', id: 1 })
  await ada.until(({ event, id }) => event === 'ack' && id === 1)
  const heard = new Promise(resolve => ben.on('chatMessage', resolve))
  await ben.timeout(5000).emitWithAck('joinRoom', 'mixed')
  const joined = await ada.until(({ event, data }) => event === 'notification' && data.message.startsWith('Ben'))
  assert.equal(joined.data.message, 'Ben joined the room')
  assert.match(joined.data.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  ada.send({ event: 'chatMessage', data: { room: 'mixed', message: 'hello' } })
  const { room, user, message } = await heard
  assert.deepEqual({ room, user, message }, { room: 'mixed', user: 'Ada', message: 'hello' })
  ben.emit('typing', { room: 'mixed', isTyping: true })
  const typing = await ada.until(({ event }) => event === 'typing')
  assert.deepEqual(typing.data, { user: 'Ben', isTyping: true })
})

test('a binary frame that holds JSON is read as a text is', async t => {
  const ada = await Json.open(t, '/ws?namespace=/chat&username=Ada&token=x')
  ada.socket.send(Buffer.from(JSON.stringify({ event: 'messageWithAck', data: 1, id: 1 })))
  assert.deepEqual(await ada.next(), { event: 'ack', id: 1, data: { status: 'processed' } })
})

/** A client that reads and writes JSON. */
class Json {
  static async open (t, path) {
    const socket = new WebSocket(server.ws + path)
    t.after(() => socket.terminate())
    const client = new Json(socket)
    await new Promise((resolve, reject) => {
      socket.once('open', resolve)
      socket.once('error', reject)
    })
    return client
  }

  constructor (socket) {
    this.socket = socket
    this.received = []
    this.waiting = []
    this.closed = new Promise(resolve => socket.on('close', resolve))
    socket.on('message', text => {
      const value = JSON.parse(text)
      const waiting = this.waiting.shift()
      if (waiting === undefined) this.received.push(value)
      else waiting(value)
    })
  }

  send (value) { this.socket.send(JSON.stringify(value)) }

  next () {
    if (this.received.length > 0) return Promise.resolve(this.received.shift())
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('nothing came in time')), 10_000)
      this.waiting.push(value => {
        clearTimeout(timer)
        resolve(value)
      })
    })
  }

  async until (isIt) {
    for (;;) {
      const value = await this.next()
      if (isIt(value)) return value
    }
  }
}
