// Engine.IO 4 and Socket.IO 5 as the documents of the protocol say, packet by packet, against the echo server.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { Frames, Polling, separator } from './engine.mjs'
import { Echo, pause, waitFor } from './harness.mjs'

const interval = 300
const timeout = 200

let server
before(async () => {
  server = await Echo.start({ PING_INTERVAL: `${interval}ms`, PING_TIMEOUT: `${timeout}ms`, CONNECT_WITHIN: '1s', MAX_MESSAGE: '1000000B' })
})
after(() => server.stop())

const ask = (query, init) => fetch(`${server.url}/socket.io/${query}`, { signal: AbortSignal.timeout(10_000), ...init })
const keys = ['maxPayload', 'pingInterval', 'pingTimeout', 'sid', 'upgrades']

describe('the handshake', () => {
  test('by polling tells the session, its upgrades and its limits', async () => {
    const { opening } = await Polling.open(server)
    assert.deepEqual(Object.keys(opening).sort(), keys)
    assert.deepEqual({ ...opening, sid: typeof opening.sid }, { sid: 'string', upgrades: ['websocket'], pingInterval: interval, pingTimeout: timeout, maxPayload: 1_000_000 })
  })

  test('by WebSocket tells the same, and no upgrades', async t => {
    const { opening } = await Frames.open(t, server)
    assert.deepEqual(Object.keys(opening).sort(), keys)
    assert.deepEqual({ ...opening, sid: typeof opening.sid }, { sid: 'string', upgrades: [], pingInterval: interval, pingTimeout: timeout, maxPayload: 1_000_000 })
  })

  const refusals = ['Transport unknown', 'Session ID unknown', 'Bad handshake method', 'Bad request', 'Forbidden', 'Unsupported protocol version']
  const isRefused = async (response, code) => {
    assert.deepEqual([response.status, response.headers.get('content-type')], [400, 'application/json'])
    assert.deepEqual(await response.json(), { code, message: refusals[code] })
  }

  for (const [what, query, code] of [
    ['no version of the protocol', '?transport=polling', 5],
    ['a version that is none', '?EIO=abc&transport=polling', 5],
    ['a version of the past', '?EIO=3&transport=polling', 5],
    ['no transport', '?EIO=4', 0],
    ['an unknown transport', '?EIO=4&transport=abc', 0],
    ['a session that is none', '?EIO=4&transport=polling&sid=abc', 1],
    ['a session that nobody has', '?EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAA', 1],
    ['no query', '', 0]
  ]) {
    test(`with ${what} gets 400 by polling`, async () => {
      await isRefused(await ask(query), code)
    })

    test(`with ${what} opens no WebSocket`, async t => {
      const refused = new Frames(t, { ws: server.ws }, { query: query.replace('?EIO=4', '').replace('polling', 'websocket') })
      // An unknown session is known as such only once the socket is open.
      await waitFor('the refusal', () => refused.refused === 400 || refused.closed)
      assert.deepEqual(refused.packets, [])
    })
  }

  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
    test(`by ${method} gets 400`, async () => {
      await isRefused(await ask('?EIO=4&transport=polling', { method }), 2)
    })
  }

  test('by a request for a WebSocket that is none gets 400', async () => {
    await isRefused(await ask('?EIO=4&transport=websocket'), 3)
  })
})

test('a server that is full opens no session until one has ended', async t => {
  const own = await Echo.start({ MAX_OPEN: '1' })
  try {
    const polling = await Polling.open(own)
    assert.equal((await new Polling(own).request('GET')).status, 503)
    const refused = new Frames(t, own)
    await waitFor('the refusal', () => refused.refused === 503)
    assert.equal(await polling.post('1'), 200)
    await waitFor('there is room', async () => (await new Polling(own).request('GET')).status === 200)
  } finally {
    await own.stop()
  }
})

describe('polling', () => {
  test('carries several packets in one payload, both ways, in order', async () => {
    const polling = await Polling.open(server)
    await polling.enter()
    assert.equal(await polling.post('42["message",1]', '42["message",2]', '42["message","…\u2028"]'), 200)
    assert.deepEqual(await polling.polls(3), ['42["message-back",1]', '42["message-back",2]', '42["message-back","…\u2028"]'])
  })

  test('carries binary as base64, both ways', async () => {
    const polling = await Polling.open(server)
    await polling.enter()
    const event = name => `451-["${name}",{"_placeholder":true,"num":0}]`
    assert.equal(await polling.post(event('message'), 'bAQIDBA=='), 200)
    assert.deepEqual(await polling.polls(2), [event('message-back'), 'bAQIDBA=='])
  })

  test('sends pings, and lives on pongs', async () => {
    const polling = await Polling.open(server)
    await polling.enter()
    for (let heard = 0; heard < 4; heard++) {
      const response = await polling.request('GET')
      assert.deepEqual([response.status, await response.text()], [200, '2'])
      assert.equal(await polling.post('3'), 200)
    }
  })

  test('is pinged after the interval, and not before', async () => {
    const started = performance.now()
    const polling = await Polling.open(server)
    assert.equal(await (await polling.request('GET')).text(), '2')
    assert.ok(performance.now() - started > interval - 10)
  })

  test('answers as the reference does: packets as text, a post with ok', async () => {
    const polling = await Polling.open(server)
    const answers = [await polling.request('POST', '40'), await polling.request('GET')]
    assert.deepEqual(answers.map(answer => answer.headers.get('content-type')), ['text/html', 'text/plain; charset=UTF-8'])
    assert.equal(await answers[0].text(), 'ok')
  })

  test('without pongs ends after the timeout', async () => {
    const polling = await Polling.open(server)
    await pause(interval + timeout + 100)
    assert.equal((await polling.request('GET')).status, 400)
  })

  test('ends with the close packet, which releases the poll that waits', async () => {
    const polling = await Polling.open(server)
    await polling.enter()
    const waits = polling.poll()
    assert.equal(await polling.post('1'), 200)
    const { packets } = await waits
    assert.deepEqual(packets, ['6'])
    assert.equal((await polling.request('GET')).status, 400)
  })

  test('twice at once ends the session', async () => {
    const polling = await Polling.open(server)
    await polling.enter()
    const statuses = await Promise.all([polling.request('GET'), polling.request('GET')].map(async one => (await one).status))
    assert.ok(statuses.includes(400), `${statuses}`)
    assert.equal((await polling.request('GET')).status, 400)
  })

  test('with a second post while the first is on its way ends the session', async () => {
    const polling = await Polling.open(server)
    let finish
    const body = new ReadableStream({ start (controller) { controller.enqueue(Buffer.from('40')); finish = () => controller.close() } })
    const first = fetch(`${server.url}/socket.io/?EIO=4&transport=polling&sid=${polling.sid}`, { method: 'POST', body, duplex: 'half' })
    await pause(50)
    assert.equal(await polling.post('42["message",1]'), 400)
    finish()
    assert.equal((await first).status, 400)
    assert.equal((await polling.request('GET')).status, 400)
  })

  test('that is given up while it waits ends the session', async () => {
    const polling = await Polling.open(server)
    await fetch(`${server.url}/socket.io/?EIO=4&transport=polling&sid=${polling.sid}`, { signal: AbortSignal.timeout(50) }).catch(() => {})
    await pause(50)
    assert.equal((await polling.request('GET')).status, 400)
  })

  test('with a body of bytes gets 400', async () => {
    const polling = await Polling.open(server)
    const { status } = await ask(`?EIO=4&transport=polling&sid=${polling.sid}`, { method: 'POST', body: Buffer.of(4), headers: { 'content-type': 'application/octet-stream' } })
    assert.equal(status, 400)
  })

  for (const [what, body] of [['an unknown packet', 'abc'], ['what only a server says', '0{}'], ['binary that is no base64', 'b*'], ['nothing between separators', separator]]) {
    test(`with ${what} gets 400 and ends the session`, async () => {
      const polling = await Polling.open(server)
      assert.equal(await polling.post(body), 400)
      assert.equal((await polling.request('GET')).status, 400)
    })
  }

  test('with more than a message may hold is refused and ends the session', async () => {
    const polling = await Polling.open(server)
    const status = await polling.post(`42["message","${'x'.repeat(1_000_000)}"]`)
    assert.equal(status, 413)
    assert.equal((await polling.request('GET')).status, 400)
  })
})

describe('a WebSocket', () => {
  test('is pinged at the interval, and lives on pongs', async t => {
    const frames = await Frames.connect(t, server)
    const started = performance.now()
    const from = frames.pings
    await waitFor('four pings', () => frames.pings >= from + 4)
    const elapsed = performance.now() - started
    assert.ok(elapsed > 3 * interval - 100, `four pings in ${Math.round(elapsed)} ms`)
    assert.equal(frames.closed, null)
  })

  test('without pongs is closed after the timeout', async t => {
    const frames = await Frames.open(t, server, { answersPings: false })
    const started = performance.now()
    await frames.closes()
    const elapsed = performance.now() - started
    assert.ok(elapsed > interval + timeout - 20, `after ${Math.round(elapsed)} ms`)
    assert.ok(elapsed < interval + timeout + 500, `after ${Math.round(elapsed)} ms`)
  })

  test('is closed by the close packet', async t => {
    const frames = await Frames.connect(t, server)
    frames.send('1')
    await frames.closes()
  })

  for (const [what, packet] of [['an unknown packet', 'abc'], ['an empty packet', ''], ['what only a server says', '0{}'], ['an upgrade that is none', '5']]) {
    test(`is closed by ${what}`, async t => {
      const frames = await Frames.connect(t, server)
      frames.send(packet)
      await frames.closes()
    })
  }

  test('is closed by a message larger than allowed', async t => {
    const frames = await Frames.connect(t, server)
    frames.send(`42["message","${'x'.repeat(1_000_001)}"]`)
    await frames.closes()
    assert.deepEqual(frames.packets.slice(frames.read).filter(packet => packet !== '1'), [])
  })
})

describe('the upgrade', () => {
  const upgrading = (t, { sid }) => new Frames(t, server, { query: `&transport=websocket&sid=${sid}` })

  test('probes, releases the poll that waits, and goes on with the same session', async t => {
    const polling = await Polling.open(server)
    const id = await polling.enter()
    const waits = polling.poll()
    const frames = upgrading(t, polling)
    await waitFor('it opens', () => frames.socket.readyState === 1)
    frames.send('2probe')
    assert.equal(await frames.next('the answer to the probe'), '3probe')
    assert.deepEqual((await waits).packets, ['6'])
    frames.send('5')
    frames.send('42["message","by the new way"]')
    assert.equal(await frames.next(), '42["message-back","by the new way"]')
    const other = await Frames.connect(t, server)
    other.send(`42${JSON.stringify(['say', id, 'still me'])}`)
    assert.equal(await frames.next(), '42["said","still me"]')
  })

  test('leaves no polling behind', async t => {
    const polling = await Polling.open(server)
    await polling.enter()
    const frames = upgrading(t, polling)
    await waitFor('it opens', () => frames.socket.readyState === 1)
    frames.send('2probe')
    await frames.next()
    frames.send('5', '42["message","here"]')
    assert.equal(await frames.next(), '42["message-back","here"]')
    assert.equal((await polling.request('GET')).status, 400)
    assert.equal(await polling.post('42["message","there"]'), 400)
    frames.send('42["message","still here"]')
    assert.equal(await frames.next(), '42["message-back","still here"]')
  })

  test('is seen at once by a poll that comes after its last word', async t => {
    for (let time = 0; time < 20; time++) {
      const polling = await Polling.open(server)
      const frames = upgrading(t, polling)
      await waitFor('it opens', () => frames.socket.readyState === 1)
      frames.send('2probe', '5')
      assert.equal((await polling.request('GET')).status, 400)
    }
  })

  test('releases a poll that comes after the probe', async t => {
    const polling = await Polling.open(server)
    await polling.enter()
    const frames = upgrading(t, polling)
    await waitFor('it opens', () => frames.socket.readyState === 1)
    frames.send('2probe')
    await frames.next()
    assert.deepEqual((await polling.poll()).packets, ['6'])
    frames.send('5', '42["message","here"]')
    assert.equal(await frames.next(), '42["message-back","here"]')
  })

  test('that is given up leaves the session to polling', async t => {
    const polling = await Polling.open(server)
    await polling.enter()
    const frames = upgrading(t, polling)
    await waitFor('it opens', () => frames.socket.readyState === 1)
    frames.send('2probe')
    await frames.next()
    frames.socket.close()
    await frames.closes()
    await polling.post('42["message","still polling"]')
    assert.deepEqual(await polling.polls(1), ['42["message-back","still polling"]'])
  })

  test('happens once: a second WebSocket of the session is closed, and the first goes on', async t => {
    const polling = await Polling.open(server)
    await polling.enter()
    const frames = upgrading(t, polling)
    await waitFor('it opens', () => frames.socket.readyState === 1)
    frames.send('2probe')
    await frames.next()
    frames.send('5', '42["message","here"]')
    await frames.next()
    const second = upgrading(t, polling)
    await waitFor('it is turned away', () => second.closed || second.refused)
    frames.send('42["message","still here"]')
    assert.equal(await frames.next(), '42["message-back","still here"]')
  })
})

describe('a namespace', () => {
  test('is entered with `auth`, or without, and gives an id and nothing else', async t => {
    for (const namespace of ['/', '/custom']) {
      for (const auth of [undefined, { token: '123' }]) {
        const frames = await Frames.open(t, server)
        const prefix = namespace === '/' ? '' : `${namespace},`
        frames.send(`40${prefix}${auth ? JSON.stringify(auth) : ''}`)
        const [answer, greeting] = await frames.nexts(2)
        const told = JSON.parse(answer.slice(2 + prefix.length))
        assert.deepEqual(Object.keys(told), ['sid'])
        assert.notEqual(told.sid, frames.opening.sid)
        assert.equal(greeting, `42${prefix}${JSON.stringify(['auth', auth ?? {}])}`)
      }
    }
  })

  test('is entered without the comma too', async t => {
    const frames = await Frames.open(t, server)
    frames.send('40/custom')
    assert.match(await frames.next(), /^40\/custom,\{"sid":"/)
  })

  test('that there is not is refused, and the connection goes on', async t => {
    const frames = await Frames.connect(t, server)
    frames.send('40/random')
    assert.equal(await frames.next(), '44/random,{"message":"Invalid namespace"}')
    frames.send('40/random,{"token":"x"}')
    assert.equal(await frames.next(), '44/random,{"message":"Invalid namespace"}')
    frames.send('42["message","still here"]')
    assert.equal(await frames.next(), '42["message-back","still here"]')
  })

  test('is left without a word, and others stay', async t => {
    const frames = await Frames.connect(t, server)
    await frames.enter('/custom')
    frames.send('41/custom', '42/custom,["message","to nobody"]', '42["message","to the main namespace"]')
    assert.equal(await frames.next(), '42["message-back","to the main namespace"]')
  })

  test('that was left can be entered again, under another id', async t => {
    const frames = await Frames.connect(t, server)
    await frames.enter('/custom')
    const before = frames.id
    frames.send('41/custom,')
    assert.notEqual(await frames.enter('/custom', { again: true }), before)
  })

  test('left before the answer and entered again is entered with what was said last', async t => {
    const frames = await Frames.open(t, server)
    for (let time = 0; time < 50; time++) {
      frames.send('40/guarded,{"token":"wrong"}', '41/guarded,', '40/guarded,{"token":"secret"}')
      let answer = await frames.next('an answer')
      // The guard may have been faster.
      if (answer.startsWith('44')) answer = await frames.next('the other answer')
      assert.match(answer, /^40\/guarded,/)
      assert.equal(await frames.next(), '42/guarded,["auth",{"token":"secret"}]')
      frames.send('41/guarded,')
    }
  })

  test('that was left last leaves the connection open for others', async t => {
    const frames = await Frames.connect(t, server)
    frames.send('41')
    const from = frames.pings
    await waitFor('two pings', () => frames.pings >= from + 2)
    assert.equal(frames.closed, null)
    await frames.enter('/custom')
  })

  test('that the client is not in hears nothing of it', async t => {
    const frames = await Frames.connect(t, server)
    frames.send('42/custom,["message","from outside"]', '42["message","from inside"]')
    assert.equal(await frames.next(), '42["message-back","from inside"]')
  })

  test('entered twice is entered once', async t => {
    const frames = await Frames.connect(t, server)
    frames.send('40', '42["message","once"]')
    assert.equal(await frames.next(), '42["message-back","once"]')
  })

  test('never entered closes the connection in time, and pongs are no excuse', async t => {
    const frames = await Frames.open(t, server)
    const started = performance.now()
    await frames.closes(3_000)
    const elapsed = performance.now() - started
    assert.ok(elapsed > 800, `after ${Math.round(elapsed)} ms`)
  })

  test('never entered closes a polling session too', async () => {
    const polling = await Polling.open(server)
    const { status, packets } = await polling.poll()
    assert.ok(status === 400 || packets.includes('1') || packets.includes(''), `${status} ${packets}`)
    assert.equal((await polling.request('GET')).status, 400)
  })
})

describe('an event', () => {
  test('keeps all its values', async t => {
    const frames = await Frames.connect(t, server)
    frames.send('42["message",1,"2",{"3":[true]},null,-1.5e3,"\u2028\\u0000"]')
    assert.equal(await frames.next(), '42["message-back",1,"2",{"3":[true]},null,-1.5e3,"\u2028\\u0000"]')
  })

  test('without values comes back without', async t => {
    const frames = await Frames.connect(t, server)
    frames.send('42["message"]')
    assert.equal(await frames.next(), '42["message-back"]')
  })

  test('keeps its attachments, in order', async t => {
    const frames = await Frames.connect(t, server)
    const event = name => `452-["${name}",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`
    frames.send(event('message'), Buffer.of(1, 2, 3), Buffer.of(4, 5, 6))
    assert.deepEqual(await frames.nexts(3), [event('message-back'), Buffer.of(1, 2, 3), Buffer.of(4, 5, 6)])
  })

  test('keeps attachments that lie deep among other values, also an empty one', async t => {
    const frames = await Frames.connect(t, server)
    const event = name => `452-["${name}","text",{"a":[{"_placeholder":true,"num":0},{"b":{"_placeholder":true,"num":1}}]},7]`
    frames.send(event('message'), Buffer.alloc(0), Buffer.of(255))
    assert.deepEqual(await frames.nexts(3), [event('message-back'), Buffer.alloc(0), Buffer.of(255)])
  })

  test('in another namespace stays there', async t => {
    const frames = await Frames.connect(t, server)
    await frames.enter('/custom')
    const event = name => `451-/custom,["${name}",{"_placeholder":true,"num":0}]`
    frames.send(event('message'), Buffer.of(9))
    assert.deepEqual(await frames.nexts(2), [event('message-back'), Buffer.of(9)])
  })

  test('is acknowledged under its number', async t => {
    const frames = await Frames.connect(t, server)
    frames.send('42456["message-with-ack",1,"2",{"3":[false]}]')
    assert.equal(await frames.next(), '43456[1,"2",{"3":[false]}]')
    await frames.enter('/custom')
    frames.send('42/custom,0["message-with-ack","x"]')
    assert.equal(await frames.next(), '43/custom,0["x"]')
  })

  test('is acknowledged with attachments', async t => {
    const frames = await Frames.connect(t, server)
    frames.send('452-789["message-with-ack",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]', Buffer.of(1, 2, 3), Buffer.of(4, 5, 6))
    assert.deepEqual(await frames.nexts(3), ['462-789[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]', Buffer.of(1, 2, 3), Buffer.of(4, 5, 6)])
  })

  test('of the server is acknowledged by the client, also with attachments', async t => {
    const frames = await Frames.connect(t, server)
    frames.send('421["emit-with-ack","question"]')
    const asked = await frames.next()
    const [, id] = /^42(\d+)\["emit-with-ack","question"\]$/.exec(asked)
    frames.send(`43${id}["answer"]`)
    assert.equal(await frames.next(), '431["answer"]')
  })

  test('that nobody waits for may be acknowledged all the same', async t => {
    const frames = await Frames.connect(t, server)
    frames.send('43999["answer"]', '461-998[{"_placeholder":true,"num":0}]', Buffer.of(1), '42["message","still here"]')
    assert.equal(await frames.next(), '42["message-back","still here"]')
  })

  test('after the client has left is not handled', async t => {
    const frames = await Frames.connect(t, server)
    await frames.enter('/custom')
    frames.send('41', '42["message","late"]', '42/custom,["message","in time"]')
    assert.equal(await frames.next(), '42/custom,["message-back","in time"]')
  })
})

describe('a malformed packet closes the connection', () => {
  const event = '["message",{"_placeholder":true,"num":0}]'
  for (const [what, ...packets] of [
    ['an unknown type', '4abc'],
    ['no type', '4'],
    ['an event that is no array', '42{}'],
    ['an event without values', '42'],
    ['an event without a name', '42[]'],
    ['an event named by no text', '42[{}]'],
    ['an event of a name that is the library’s own', '42["disconnect"]'],
    ['an acknowledgement number that is none', '42abc["message-with-ack",1]'],
    ['an acknowledgement that is no array', '431{}'],
    ['an acknowledgement without its number', '43["x"]'],
    ['JSON that ends too early', '42["message",{"a":1]'],
    ['JSON with more after it', '42["message"]]'],
    ['a refusal, which is the server’s to send', '44{"message":"no"}'],
    ['`auth` that is no object', '40[1]'],
    ['an attachment that nobody announced', Buffer.of(1)],
    ['a text in place of an attachment', `451-${event}`, '42["message"]'],
    ['more attachments than there may be', `45300-${event}`]
  ]) {
    test(what, async t => {
      const frames = await Frames.connect(t, server)
      frames.send(...packets)
      await frames.closes()
      assert.deepEqual(frames.packets.slice(frames.read).filter(packet => packet !== '1'), [])
    })
  }

  test('before any namespace is entered', async t => {
    const frames = await Frames.open(t, server)
    frames.send('4abc')
    await frames.closes(800)
  })

  test('by polling', async () => {
    const polling = await Polling.open(server)
    await polling.enter()
    await polling.post('42{}')
    await waitFor('it ends', async () => (await polling.request('GET')).status === 400)
  })
})
