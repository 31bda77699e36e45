// The real socket.io-client against the echo server, by each way that it connects.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { io, Manager } from 'socket.io-client'

import { Frames, Polling } from './engine.mjs'
import { Echo, waitFor } from './harness.mjs'

const ways = [
  { way: 'polling', transports: ['polling'] },
  { way: 'WebSocket', transports: ['websocket'] },
  { way: 'upgrade', transports: ['polling', 'websocket'] }
]

let server
before(async () => { server = await Echo.start() })
after(() => server.stop())

/** A client with a log: `events` as `[name, ...values]`, `disconnects` as reasons, `errors` as messages. It ends with the test `t`. */
function client (t, at, { namespace = '/', ...options } = {}) {
  const socket = io(at.url + namespace, { forceNew: true, transports: ['websocket'], reconnectionDelay: 50, reconnectionDelayMax: 200, ...options })
  t.after(() => socket.disconnect())
  return logged(socket)
}

function logged (socket) {
  socket.events = []
  socket.disconnects = []
  socket.errors = []
  socket.onAny((...event) => socket.events.push(event))
  socket.on('disconnect', reason => socket.disconnects.push(reason))
  socket.on('connect_error', error => socket.errors.push(error.message))
  return socket
}

/** A client that has been greeted, by the way that it was to come. */
async function connected (t, at, options) {
  const socket = client(t, at, options)
  await waitFor('the greeting', () => {
    assert.deepEqual(socket.errors, [])
    return socket.events.some(([name]) => name === 'auth')
  })
  if (options?.transports?.length === 2) await waitFor('the upgrade', () => socket.io.engine.transport.name === 'websocket')
  return socket
}

/** Waits for an event that came, now or earlier. */
const hears = (socket, name, condition = () => true) => waitFor(`the event ${name}`, () => socket.events.find(event => event[0] === name && condition(...event.slice(1))))

/** One who is told whom the server has seen leave, and why. */
async function observer (t, at) {
  const socket = await connected(t, at)
  assert.equal(await ask(socket, 'join', 'observers'), true)
  socket.reasonOf = async id => (await hears(socket, 'left', left => left.id === id))[1].reason
  return socket
}

/** A number of the server's metrics. */
async function metric (at, name) {
  const text = await (await fetch(`${at.url}/metrics`)).text()
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1])
}

const ask = (socket, ...event) => socket.timeout(10_000).emitWithAck(...event)

for (const { way, transports } of ways) {
  describe(`by ${way}`, () => {
    test('a client learns its id, which is not that of its connection', async t => {
      const socket = await connected(t, server, { transports, auth: { token: 'x' } })
      assert.deepEqual(socket.events[0], ['auth', { token: 'x' }])
      assert.match(socket.id, /^~[0-9a-f]{32}$/)
      assert.notEqual(socket.id, socket.io.engine.id)
    })

    test('events keep their values', async t => {
      const socket = await connected(t, server, { transports })
      const values = [1, 'zwei \u2028 \u{1F600}', { three: [true, null, { deep: -1.5 }] }, [], {}, null]
      socket.emit('message', ...values)
      assert.deepEqual(await hears(socket, 'message-back'), ['message-back', ...values])
      socket.emit('message')
      assert.deepEqual(await hears(socket, 'message-back', (...more) => more.length === 0), ['message-back'])
    })

    test('binary keeps its place in objects', async t => {
      const socket = await connected(t, server, { transports })
      const values = [{ name: 'a.png', bytes: Buffer.of(0, 1, 255), more: [{ bytes: Buffer.alloc(70_000, 7) }] }, Buffer.alloc(0), 'text']
      socket.emit('message', ...values)
      assert.deepEqual(await hears(socket, 'message-back'), ['message-back', ...values])
      assert.deepEqual(await ask(socket, 'message-with-ack', values[0]), values[0])
    })

    test('acknowledgements come to the event that they are for', async t => {
      const socket = await connected(t, server, { transports })
      const numbers = Array.from({ length: 50 }, (_, number) => number)
      assert.deepEqual(await Promise.all(numbers.map(number => ask(socket, 'message-with-ack', number))), numbers)
    })

    test('the server waits for the acknowledgement of a client, and not for ever', async t => {
      const socket = await connected(t, server, { transports })
      socket.on('emit-with-ack', (value, acknowledge) => { if (value.answers) acknowledge({ ...value, seen: Buffer.of(1) }) })
      assert.deepEqual(await ask(socket, 'emit-with-ack', { answers: true }), { answers: true, seen: Buffer.of(1) })
      const { status, message } = await ask(socket, 'emit-with-ack', { answers: false })
      assert.deepEqual([status, message], ['error', 'the client did not acknowledge in time'])
    })

    for (const [what, event, message] of [
      ['an unknown event', ['what-is-this', 1], 'Unknown event "what-is-this"'],
      ['a payload of the wrong type', ['record', 'seven'], /invalid type: string "seven", expected u32/],
      ['a handler that panics', ['panic', { a: 1 }], 'Internal server error']
    ]) {
      test(`${what} is told by exception and by the acknowledgement, and the client goes on`, async t => {
        const socket = await connected(t, server, { transports })
        const answer = await ask(socket, ...event)
        assert.equal(answer.status, 'error')
        if (message instanceof RegExp) assert.match(answer.message, message)
        else assert.equal(answer.message, message)
        assert.deepEqual(answer.cause, { pattern: event[0], data: event[1] })
        assert.deepEqual(await hears(socket, 'exception'), ['exception', answer])
        assert.equal(await ask(socket, 'message-with-ack', 'still here'), 'still here')
        assert.deepEqual(socket.disconnects, [])
      })
    }

    test('a thousand events to a handler that takes its time are handled in order', async t => {
      const socket = await connected(t, server, { transports })
      const numbers = Array.from({ length: 1000 }, (_, number) => number)
      for (const number of numbers) socket.emit('record', number)
      assert.deepEqual(await ask(socket, 'recorded'), numbers)
    })

    test('two namespaces share a connection and nothing else', async t => {
      const manager = new Manager(server.url, { transports })
      const [main, custom] = ['/', '/custom'].map(namespace => logged(manager.socket(namespace)))
      t.after(() => { main.disconnect(); custom.disconnect() })
      await Promise.all([hears(main, 'auth'), hears(custom, 'auth')])
      assert.notEqual(main.id, custom.id)
      assert.ok(![main.id, custom.id].includes(manager.engine.id))
      custom.emit('message', 'to custom')
      await hears(custom, 'message-back')
      assert.equal(await ask(custom, 'join', 'room'), true)
      assert.equal(await ask(main, 'say', 'room', 'nobody is here'), 0)
      custom.disconnect()
      assert.equal(await ask(main, 'message-with-ack', 'still here'), 'still here')
      assert.deepEqual(main.events.map(([name]) => name), ['auth'])
    })

    test('topics reach the others in them, and an id reaches its client', async t => {
      const [ada, ben, eve] = await Promise.all([1, 2, 3].map(() => connected(t, server, { transports })))
      const room = `room of ${ada.id}`
      await Promise.all([ask(ada, 'join', room), ask(ben, 'join', room)])
      assert.equal(await ask(ada, 'say', room, { bytes: Buffer.of(1, 2) }), 1)
      assert.deepEqual(await hears(ben, 'said'), ['said', { bytes: Buffer.of(1, 2) }])
      assert.equal(await ask(eve, 'say', ben.id, 'to you'), 1)
      await hears(ben, 'said', what => what === 'to you')
      assert.equal(await ask(ben, 'leave', room), false)
      assert.equal(await ask(ada, 'say', room, 'anybody?'), 0)
      assert.deepEqual([ada, eve].map(one => one.events.length), [1, 1])
    })

    test('a client that leaves, one that is sent away and one that breaks off are told apart', async t => {
      const watch = await observer(t, server)
      const [leaves, sent, breaks] = await Promise.all([1, 2, 3].map(() => connected(t, server, { transports, reconnection: false })))
      const ids = [leaves, sent, breaks].map(one => one.id)
      leaves.disconnect()
      sent.emit('kick')
      breaks.io.engine.close()
      assert.deepEqual(await Promise.all(ids.map(watch.reasonOf)), ['client namespace disconnect', 'server namespace disconnect', 'transport close'])
      await waitFor('the clients know', () => [leaves, sent, breaks].every(one => one.disconnects.length === 1))
      assert.deepEqual([leaves, sent, breaks].map(one => one.disconnects[0]), ['io client disconnect', 'io server disconnect', 'forced close'])
      sent.connect()
      await waitFor('who was sent away may come again', () => sent.connected && !ids.includes(sent.id))
    })

    test('a client comes back after the server was killed, and after it was stopped', async t => {
      const own = await Echo.start()
      try {
        const socket = await connected(t, own, { transports })
        const ids = [socket.id]
        for (const ends of ['kill', 'quit']) {
          await own[ends]()
          await waitFor('the client knows', () => socket.disconnects.length === ids.length)
          await own.restart()
          await waitFor('it is back', () => socket.connected && !ids.includes(socket.id), 20_000)
          ids.push(socket.id)
          assert.equal(await ask(socket, 'message-with-ack', 'back'), 'back')
        }
        assert.ok(socket.disconnects.every(reason => ['transport close', 'transport error'].includes(reason)), `${socket.disconnects}`)
      } finally {
        await own.stop()
      }
    })

    test('a client without the word is refused, and with it let in', async t => {
      const stranger = client(t, server, { namespace: '/guarded', transports })
      await waitFor('the refusal', () => stranger.errors.length > 0)
      assert.deepEqual(stranger.errors, ['Unauthorized'])
      assert.equal(stranger.connected, false)
      assert.deepEqual(stranger.events, [])
      stranger.auth = { token: 'secret' }
      stranger.connect()
      await hears(stranger, 'auth', ({ token }) => token === 'secret')
      const lost = client(t, server, { namespace: '/nowhere', transports })
      await waitFor('the refusal', () => lost.errors.length > 0)
      assert.deepEqual(lost.errors, ['Invalid namespace'])
    })

    test('a page of another origin gets 403, and one of the same origin or of none comes in', async t => {
      const foreign = client(t, server, { transports, reconnection: false, extraHeaders: { origin: 'https://evil.example' } })
      const [error] = await once(foreign, 'connect_error')
      assert.match(`${error.description} ${error.description?.message} ${error.context?.statusText}`, /403|Forbidden/)
      await connected(t, server, { transports, extraHeaders: { origin: server.url } })
      await connected(t, server, { transports })
    })

    test('a page of a listed origin enters the namespace that lists it, and no other', async t => {
      const extraHeaders = { origin: 'https://app.example.org' }
      await connected(t, server, { transports, extraHeaders, namespace: '/custom' })
      const other = client(t, server, { transports, extraHeaders })
      await waitFor('the refusal', () => other.errors.length > 0)
      assert.deepEqual(other.errors, ['Origin not allowed'])
    })

    test('a message larger than allowed ends the connection, and nobody else’s', async t => {
      const own = await Echo.start({ MAX_MESSAGE: '100kB' })
      try {
        const [large, small] = await Promise.all([1, 2].map(() => connected(t, own, { transports, reconnection: false })))
        const watch = await observer(t, own)
        const { id } = large
        assert.equal((await ask(large, 'message-with-ack', 'x'.repeat(90_000))).length, 90_000)
        large.emit('message', 'x'.repeat(200_000))
        await waitFor('the client knows', () => large.disconnects.length === 1)
        await watch.reasonOf(id)
        assert.equal(await ask(small, 'message-with-ack', 'still here'), 'still here')
        assert.equal(large.events.length, 1)
      } finally {
        await own.stop()
      }
    })

    test('a client that sends more than it may is told so and sent away, and the others go on', async t => {
      const own = await Echo.start({ EVENTS_PER_SECOND: '1', EVENTS_AT_ONCE: '20' })
      try {
        const [loud, other] = await Promise.all([1, 2].map(() => connected(t, own, { transports, reconnection: false })))
        const watch = await observer(t, own)
        const { id } = loud
        for (let number = 0; number < 25; number++) loud.emit('record', number)
        const [, exception] = await hears(loud, 'exception')
        assert.deepEqual([exception.status, exception.message, exception.cause.pattern], ['error', 'Too many messages', 'record'])
        await waitFor('the client knows', () => loud.disconnects.length === 1)
        assert.equal(await watch.reasonOf(id), 'rate limited')
        assert.equal(await metric(own, 'ydock_gateway_rate_limited_total'), 1)
        assert.equal(await ask(other, 'message-with-ack', 'still here'), 'still here')
      } finally {
        await own.stop()
      }
    })
  })
}

describe('what is nobody’s to do', () => {
  test('who knows a client’s id cannot speak for it', async t => {
    const victim = await Polling.open(server)
    const id = await victim.enter()
    const watch = await observer(t, server)
    const forged = new Polling(server)
    forged.sid = id
    assert.equal(await forged.post('42["message","forged"]'), 400)
    assert.equal(await forged.post('1'), 400)
    assert.equal((await forged.request('GET')).status, 400)
    const taken = new Frames(t, server, { query: `&transport=websocket&sid=${id}` })
    await waitFor('it is turned away', () => taken.closed || taken.refused)
    assert.equal(await victim.post('42["message","mine"]'), 200)
    assert.deepEqual(await victim.polls(1), ['42["message-back","mine"]'])
    assert.deepEqual(watch.events.filter(([name]) => name === 'left'), [])
  })

  test('browsers are told which pages may ask', async () => {
    const preflight = origin => fetch(`${server.url}/socket.io/?EIO=4&transport=polling`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' }
    })
    for (const origin of [server.url, 'https://app.example.org']) {
      const { ok, headers } = await preflight(origin)
      assert.ok(ok)
      assert.equal(headers.get('access-control-allow-origin'), origin)
      assert.equal(headers.get('access-control-allow-credentials'), 'true')
      assert.match(headers.get('access-control-allow-methods'), /POST/)
      assert.match(headers.get('access-control-allow-headers'), /content-type/i)
    }
    assert.equal((await preflight('https://evil.example')).headers.get('access-control-allow-origin'), null)
    const answer = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`, { headers: { origin: 'https://app.example.org' } })
    assert.equal(answer.headers.get('access-control-allow-origin'), 'https://app.example.org')
  })
})

describe('a client that', () => {
  test('breaks its protocol, and one that answers no ping, are told apart', async t => {
    const own = await Echo.start({ PING_INTERVAL: '300ms', PING_TIMEOUT: '300ms' })
    try {
      const watch = await observer(t, own)
      const [breaks, silent] = await Promise.all([Frames.connect(t, own), Frames.connect(t, own, '/', { answersPings: false })])
      breaks.send('4abc')
      assert.deepEqual(await Promise.all([breaks.id, silent.id].map(watch.reasonOf)), ['parse error', 'ping timeout'])
    } finally {
      await own.stop()
    }
  })

  test('reads too slowly is disconnected, and the others miss nothing', async t => {
    const own = await Echo.start({ MAX_OUTGOING: '128', EVENTS_PER_SECOND: '100000', EVENTS_AT_ONCE: '100000' })
    try {
      const watch = await observer(t, own)
      const [speaker, listener] = await Promise.all([1, 2].map(() => connected(t, own)))
      const slow = await Frames.connect(t, own)
      slow.send('421["join","loud"]')
      assert.equal(await slow.next(), '431[true]')
      assert.equal(await ask(listener, 'join', 'loud'), true)
      slow.socket.pause()
      const text = 'x'.repeat(50_000)
      let said = 0
      while (await ask(speaker, 'say', 'loud', `${++said} ${text}`) > 1) assert.ok(said < 2_000, 'it is never too slow')
      assert.equal(await watch.reasonOf(slow.id), 'too slow')
      await waitFor('the last is heard', () => listener.events.filter(([name]) => name === 'said').length === said)
      assert.deepEqual(listener.events.filter(([name]) => name === 'said').map(([, what]) => parseInt(what)), Array.from({ length: said }, (_, index) => index + 1))
      slow.socket.resume()
      await slow.closes()
      const counts = await ask(watch, 'counts')
      assert.deepEqual([counts.clients, counts.members], [3, 3])
      assert.deepEqual([await metric(own, 'ydock_gateway_clients'), await metric(own, 'ydock_gateway_too_slow_total')], [3, 1])
      const events = await metric(own, 'ydock_gateway_events_total')
      await ask(watch, 'counts')
      assert.equal(await metric(own, 'ydock_gateway_events_total'), events + 1)
    } finally {
      await own.stop()
    }
  })

  test('stops reading, and is sent no more than may wait, is gone all the same', async t => {
    const own = await Echo.start({ PING_INTERVAL: '300ms', PING_TIMEOUT: '300ms', EVENTS_PER_SECOND: '100000', EVENTS_AT_ONCE: '100000' })
    try {
      const watch = await observer(t, own)
      const speaker = await connected(t, own)
      const slow = await Frames.connect(t, own)
      slow.send('421["join","loud"]')
      assert.equal(await slow.next(), '431[true]')
      slow.socket.pause()
      const text = 'x'.repeat(50_000)
      for (let said = 0; said < 400; said++) await ask(speaker, 'say', 'loud', text)
      await watch.reasonOf(slow.id)
      assert.equal((await ask(watch, 'counts')).clients, 2)
    } finally {
      await own.stop()
    }
  })
})
