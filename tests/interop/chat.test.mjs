// The built-in chat with the real client, by each transport: what the seed's complete chat does.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { io } from 'socket.io-client'
import { Server } from './harness.mjs'

let server

before(async () => { server = await Server.start() })
after(() => server?.stop())

const TRANSPORTS = { 'by polling': ['polling'], 'by WebSocket': ['websocket'], 'by upgrade': ['polling', 'websocket'] }

for (const [how, transports] of Object.entries(TRANSPORTS)) {
  describe(how, () => {
    test('two join a room, talk, type, and leave', async t => {
      const [ada, ben] = [await enter(t, transports, 'Ada'), await enter(t, transports, 'Ben')]
      if (how === 'by upgrade') await upgraded(ada.socket)
      const room = `room ${how}`
      await ada.ask('joinRoom', room)
      assert.equal((await ada.hears('notification')).message, 'Ada joined the room')
      await ben.ask('joinRoom', room)
      const joined = await ada.hears('notification')
      assert.equal(joined.message, 'Ben joined the room')
      assert.equal(new Date(joined.timestamp).toISOString(), joined.timestamp)
      await ada.ask('chatMessage', { room, message: 'hello' })
      const said = await ben.hears('chatMessage')
      assert.deepEqual({ ...said, timestamp: 0 }, { room, user: 'Ada', message: 'hello', timestamp: 0 })
      assert.equal((await ada.hears('chatMessage')).message, 'hello', 'whoever says it hears it too')
      ada.socket.emit('typing', { room, isTyping: true })
      assert.deepEqual(await ben.hears('typing'), { user: 'Ada', isTyping: true })
      await ben.ask('leaveRoom', room)
      assert.equal((await ada.hears('notification')).message, 'Ben left the room')
      await ben.ask('joinRoom', room)
      await ada.hears('notification')
      ben.socket.disconnect()
      assert.equal((await ada.hears('notification')).message, 'Ben left the room')
      assert.deepEqual(ada.unheard('typing'), [], 'nobody hears of their own typing')
    })

    test('acknowledgements, errors, private words and bytes', async t => {
      const [ada, ben] = [await enter(t, transports, 'Ada'), await enter(t, transports, `Ben ${how}`)]
      assert.equal(await ada.ask('message', 'same'), 'same')
      assert.deepEqual(await ada.ask('messageWithAck', { any: 'thing' }), { status: 'processed' })
      const told = { status: 'error', message: 'Message cannot be empty', cause: { pattern: 'message', data: '' } }
      assert.deepEqual(await ada.ask('message', ''), told)
      assert.deepEqual(await ada.hears('exception'), told)
      assert.deepEqual([...await ada.ask('binary', Buffer.from([0, 1, 255]))], [0, 1, 255])
      await ada.ask('privateMessage', { to: ben.socket.id, message: 'psst' })
      assert.deepEqual(await ben.hears('privateMessage'), { from: ada.socket.id, message: 'psst' })
      await ben.ask('privateMessage', { to: 'Ada', message: 'by name' })
      assert.equal((await ada.hears('privateMessage')).message, 'by name')
      assert.match((await ada.ask('chatMessage', { room: 'elsewhere', message: 'x' })).message, /Join the room first/)
    })

    test('who has no token, or no name, is not let in', async t => {
      for (const [auth, why] of [[{ username: 'Eve' }, 'Forbidden resource'], [{ token: 'x' }, /username/], [{}, 'Forbidden resource']]) {
        const socket = connect(t, transports, auth)
        const error = await new Promise(resolve => socket.on('connect_error', resolve))
        if (typeof why === 'string') assert.equal(error.message, why)
        else assert.match(error.message, why)
      }
    })

    test('an event of /events is answered, and a stream counts', async t => {
      const socket = io(`${server.url}/events`, { transports, forceNew: true })
      t.after(() => socket.close())
      assert.equal(await socket.timeout(10_000).emitWithAck('message', 'hi'), 'Echo: hi')
      const numbers = []
      const counted = new Promise(resolve => socket.on('events', number => numbers.push(number) === 3 && resolve()))
      socket.emit('events', 'go')
      await counted
      assert.deepEqual(numbers.slice(0, 3), [0, 1, 2])
    })
  })
}

function connect (t, transports, auth) {
  const socket = io(`${server.url}/chat`, { transports, forceNew: true, auth, reconnection: false })
  t.after(() => socket.close())
  return socket
}

async function enter (t, transports, username) {
  const socket = connect(t, transports, { username, token: 'any' })
  const heard = new Map()
  const waiting = new Map()
  socket.onAny((event, value) => {
    const wait = waiting.get(event)?.shift()
    if (wait !== undefined) wait(value)
    else heard.set(event, [...heard.get(event) ?? [], value])
  })
  await new Promise((resolve, reject) => {
    socket.on('connect', resolve)
    socket.on('connect_error', reject)
  })
  return {
    socket,
    ask: (event, value) => socket.timeout(10_000).emitWithAck(event, value),
    /** The next event of this name. */
    hears: event => {
      const [first, ...rest] = heard.get(event) ?? []
      if (first !== undefined) {
        heard.set(event, rest)
        return Promise.resolve(first)
      }
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no ${event} came`)), 10_000)
        waiting.set(event, [...waiting.get(event) ?? [], value => {
          clearTimeout(timer)
          resolve(value)
        }])
      })
    },
    unheard: event => heard.get(event) ?? []
  }
}

function upgraded (socket) {
  const { engine } = socket.io
  return engine.transport.name === 'websocket' ? undefined : new Promise(resolve => engine.once('upgrade', resolve))
}
