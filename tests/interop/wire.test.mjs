// The protocol on the wire: what the server says first, what it answers, what it says once, and whom it closes.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as Y from 'yjs'

import { Client, v2, v3 } from './clients.mjs'
import { freshName, Server, waitFor } from './harness.mjs'
import * as raw from './raw.mjs'
import { AWARENESS, Raw, SYNC, bytes, concat, fromHex } from './raw.mjs'

let server
before(async () => { server = await Server.start() })
after(() => server.stop())

const hex = data => Buffer.from(data).toString('hex')
const textOf = updates => {
  const doc = new Y.Doc()
  updates.forEach(update => Y.applyUpdate(doc, update))
  return doc.getText('text').toString()
}

/** The updates of a document that types these texts one after the other. */
function typed (...texts) {
  const doc = new Y.Doc()
  const updates = []
  doc.on('update', update => updates.push(update))
  for (const text of texts) doc.getText('text').insert(doc.getText('text').length, text)
  return updates
}

test('the server opens with Step1, then who is there', async t => {
  const url = `${server.ws}/${freshName()}`
  const first = await Raw.open(t, url)
  await first.receives('Step1', frame => frame.type === SYNC && frame.subtype === 0)
  assert.equal(hex(first.frames[0].payload), '00')
  first.send(raw.awareness([[81, 1, '{"name":"first"}']]))
  first.send(raw.update(fromHex('0101070004010174016100')))
  await first.settled()

  const second = await Raw.open(t, url)
  await second.receives('presence', frame => frame.type === AWARENESS)
  assert.equal(second.frames[0].type, SYNC)
  assert.equal(second.frames[0].subtype, 0)
  assert.deepEqual([...Y.decodeStateVector(second.frames[0].payload)], [[7, 1]])
  assert.deepEqual(second.frames[1].states, [{ client: 81, clock: 1, state: { name: 'first' } }])
})

test('Step1 is answered with Step2 of what is missing, and with nothing else', async t => {
  const url = `${server.ws}/${freshName()}`
  const [early, later] = typed('early ', 'later')
  const one = await Raw.join(t, url)
  one.send(raw.update(early))
  one.send(raw.update(later))
  await one.settled()
  const two = await Raw.open(t, url)
  await two.receives('Step1', frame => frame.type === SYNC)
  const known = new Y.Doc()
  Y.applyUpdate(known, early)
  two.send(raw.step1(Y.encodeStateVector(known)))
  const { payload } = await two.receives('Step2', frame => frame.type === SYNC && frame.subtype === 1)
  assert.ok(payload.length < early.length + later.length, 'only the difference')
  assert.equal(textOf([early, payload]), 'early later')
  assert.deepEqual(two.frames.map(frame => frame.type), [SYNC, SYNC])
})

test('to whom has nothing Step2 comes last: with it a client has everything', async t => {
  const url = `${server.ws}/${freshName()}`
  const long = letter => letter.repeat(20_000)
  const updates = typed('one ', long('a'), long('b'), ' three')
  const writer = await Raw.join(t, url)
  updates.forEach(update => writer.send(raw.update(update)))
  await writer.settled()
  const reader = await Raw.open(t, url)
  reader.send(raw.step1(raw.emptyStateVector))
  await reader.receives('Step2', frame => frame.type === SYNC && frame.subtype === 1)
  const kinds = reader.frames.filter(frame => frame.type === SYNC).map(frame => frame.subtype)
  // What is large comes in several frames, what is small in one.
  assert.deepEqual(kinds, [0, 2, 1])
  assert.equal(textOf(reader.updates), `one ${long('a')}${long('b')} three`)
})

test('several messages in one frame are all heard, and every frame out holds one message', async t => {
  const url = `${server.ws}/${freshName()}`
  const [one, two] = await Promise.all([Raw.join(t, url), Raw.join(t, url)])
  const updates = typed('a', 'b', 'c', 'd')
  one.send(concat(raw.step1(raw.emptyStateVector), ...updates.map(raw.update), raw.awareness([[82, 1, '{}']]), raw.queryAwareness))
  await two.receives('the presence', frame => frame.type === AWARENESS && frame.states.some(({ client }) => client === 82))
  await waitFor('the updates', () => textOf(two.updates) === 'abcd')
  await one.settled()
  for (const frame of [...one.frames, ...two.frames]) assert.equal(frame.more, 0)
})

test('the first subprotocol that is offered is taken', async t => {
  const one = await Raw.open(t, `${server.ws}/${freshName()}`, { protocols: ['yauth-token', 'other'] })
  assert.equal(one.socket.protocol, 'yauth-token')
  await one.receives('Step1', frame => frame.type === SYNC)
})

test('an update goes to the others as the very bytes that came, and not back', async t => {
  const url = `${server.ws}/${freshName()}`
  const [one, two] = await Promise.all([Raw.join(t, url), Raw.join(t, url)])
  const [update] = typed('once')
  one.send(raw.update(update))
  const { payload } = await two.receives('the update', frame => frame.type === SYNC && frame.subtype === 2)
  assert.equal(hex(payload), hex(update))
  const frames = await one.settled()
  assert.equal(frames.some(frame => frame.type === SYNC && frame.subtype === 2), false)
})

test('an update that comes before its predecessor is answered with Step1, and nothing is lost', async t => {
  const name = freshName()
  const url = `${server.ws}/${name}`
  const [one, two] = await Promise.all([Raw.join(t, url), Raw.join(t, url)])
  const [first, second] = typed('first ', 'second')
  const before = one.frames.length
  one.send(raw.update(second))
  await waitFor('Step1', () => one.frames.slice(before).some(frame => frame.type === SYNC && frame.subtype === 0))
  assert.equal(two.frames.some(frame => frame.subtype === 2), false, 'the others do not get what they cannot apply')
  one.send(raw.update(first))
  await waitFor('both are relayed', () => textOf(two.updates) === 'first second')
  await waitFor('both are saved', async () => textOf([await server.export(name, 'update')]) === 'first second')
})

test('what the room knows already is neither relayed nor saved again', async t => {
  const url = `${server.ws}/${freshName()}`
  const [one, two] = await Promise.all([Raw.join(t, url), Raw.join(t, url)])
  const [first, second] = typed('first ', 'second')
  one.send(raw.update(first))
  await waitFor('the first', () => two.updates.length > 0 && textOf(two.updates) === 'first ')
  const before = two.frames.length
  one.send(raw.step2(first))
  one.send(raw.update(first))
  one.send(raw.step2(bytes(0, 0)))
  one.send(raw.update(second))
  await waitFor('the second', () => textOf(two.updates) === 'first second')
  assert.deepEqual(two.frames.slice(before).filter(frame => frame.type === SYNC).map(frame => hex(frame.payload)), [hex(second)])
})

test('with ?ack=echo a member gets its own update back, and without it does not', async t => {
  const url = `${server.ws}/${freshName()}`
  const [asking, plain] = await Promise.all([Raw.join(t, `${url}?ack=echo`), Raw.join(t, url)])
  const [mine] = typed('mine')
  asking.send(raw.update(mine))
  const { payload } = await asking.receives('the echo', frame => frame.type === SYNC && frame.subtype === 2)
  assert.equal(hex(payload), hex(mine))
  const [theirs] = typed('theirs')
  plain.send(raw.update(theirs))
  await asking.receives('the update of the other', frame => frame.subtype === 2 && hex(frame.payload) === hex(theirs))
  const frames = await plain.settled()
  assert.equal(frames.some(frame => frame.subtype === 2 && hex(frame.payload) === hex(theirs)), false)
})

// y-websocket 4 counts its own edits as unconfirmed until they come back from the server in a Step2 or an Update; the published
// 4.0.0-3 does not show that count yet, so the rule stands here.
test('a client that takes the echo as its acknowledgement sees every edit confirmed, offline ones too', async t => {
  const name = freshName()
  const client = await Client.join(t, v3, server, name, { params: { ack: 'echo' } })
  const confirmed = new Y.Doc()
  const listen = () => client.provider.ws.addEventListener('message', ({ data }) => {
    const frame = raw.read(new Uint8Array(data))
    if (frame.type === SYNC && frame.subtype > 0) Y.applyUpdate(confirmed, frame.payload)
  })
  listen()
  for (let i = 0; i < 50; i++) client.text.insert(0, `${i} `)
  const isGreen = () => confirmed.getText('text').toString() === client.text.toString()
  await waitFor('every edit is confirmed', isGreen)
  await client.offline()
  client.text.insert(0, 'offline ')
  client.provider.connect()
  await waitFor('there is a socket', () => client.provider.ws)
  listen()
  await waitFor('the offline edit is confirmed', isGreen)
})

test('a member that stops reading holds nobody up, and is brought up to date when it reads again', async t => {
  const name = freshName()
  const url = `${server.ws}/${name}`
  const stalled = await Raw.join(t, url)
  const [writer, reader] = await Promise.all([Client.join(t, v3, server, name), Client.join(t, v2, server, name)])
  stalled.socket._socket.pause()
  const chunk = 'x'.repeat(256 * 1024)
  for (let i = 0; i < 64; i++) writer.array.push([chunk])
  writer.text.insert(0, 'the end')
  await waitFor('the reader has it all', () => reader.array.length === 64 && reader.text.toString() === 'the end', 20_000)
  stalled.socket._socket.resume()
  await waitFor('the stalled member too', () => stalled.closed || textOf(stalled.updates) === 'the end', 20_000)
  assert.equal(stalled.closed, null, 'closed though a difference would do')
  const doc = new Y.Doc()
  stalled.updates.forEach(update => Y.applyUpdate(doc, update))
  assert.equal(doc.getArray('array').length, 64)
})

const crowd = raw.awareness(Array.from({ length: 10_000 }, (_, index) => [1_000_000 + index, 1, '{"name":"crowd"}']))
const refused = {
  'an empty frame': bytes(),
  'a truncated frame': bytes(0),
  'a sync message without its buffer': bytes(0, 2),
  'a length beyond the frame': bytes(0, 2, 200, 1, 0),
  'a length beyond all memory': concat(bytes(0, 2), fromHex('ffffffffffff7f')),
  'a varint without end': concat(bytes(0, 2), fromHex('ff'.repeat(40))),
  'a message type without end': fromHex('ff'.repeat(12)),
  'an unknown sync message': bytes(0, 9, 1, 0),
  'a malformed update': raw.update(fromHex('010107ff')),
  'an update that claims a billion structs': raw.update(fromHex('8084af5f')),
  'an update with bytes after its end': raw.update(concat(fromHex('0101070004010174016100'), bytes(1, 2, 3))),
  'a malformed Step2': raw.step2(fromHex('ffff')),
  'a malformed state vector': raw.step1(fromHex('05ff')),
  'presence that is not JSON': raw.awareness([[83, 1, '{not json']]),
  'presence that is not UTF-8': fromHex('0106010801' + '02fffe'),
  'presence of more clients than it says': bytes(1, 1, 5),
  'a text frame': 'hello'
}

for (const [what, frame] of Object.entries(refused)) {
  test(`${what} closes its sender with 4400 and a reason, and nobody else`, async t => {
    const name = freshName('refused')
    const url = `${server.ws}/${name}`
    const [sender, other] = await Promise.all([Raw.join(t, url), Raw.join(t, url)])
    const witness = await Client.join(t, v3, server, name)
    sender.send(frame)
    const { code, reason } = await sender.closes()
    assert.equal(code, 4400)
    assert.notEqual(reason, '')
    witness.text.insert(0, 'still here')
    await waitFor('the others go on', () => textOf(other.updates) === 'still here')
    assert.equal(other.closed, null)
    assert.deepEqual(witness.closes, [])
  })
}

test('ten thousand presences from one member close it with a reason, and nobody else sees them', async t => {
  const name = freshName()
  const sender = await Raw.join(t, `${server.ws}/${name}`)
  const witness = await Client.join(t, v3, server, name)
  sender.send(crowd)
  const { code, reason } = await sender.closes()
  assert.ok(code >= 4400 && code < 4500, `closed with ${code}`)
  assert.notEqual(reason, '')
  const other = await Client.join(t, v2, server, name)
  witness.text.insert(0, 'still here')
  await waitFor('the others go on', () => other.text.toString() === 'still here')
  assert.ok(witness.awareness.getStates().size < 1000)
})

test('a frame that announces a gigabyte is refused with 4413 before it comes', async t => {
  const name = freshName()
  const sender = await Raw.join(t, `${server.ws}/${name}`)
  const witness = await Client.join(t, v3, server, name)
  sender.socket._socket.write(fromHex('82ff' + '0000000040000000' + '01020304'))
  const { code, reason } = await sender.closes()
  assert.equal(code, 4413)
  assert.notEqual(reason, '')
  const other = await Client.join(t, v2, server, name)
  witness.text.insert(0, 'still here')
  await waitFor('the others go on', () => other.text.toString() === 'still here')
})

test('frames that break the rules of WebSocket close their sender with 1002, and nobody else', async t => {
  const name = freshName()
  const witness = await Client.join(t, v3, server, name)
  const broken = {
    'an unmasked frame': '820100',
    'a reserved bit': 'c28100000000' + '00',
    'a reserved opcode': '838100000000' + '00',
    'a continuation of nothing': '808100000000' + '00',
    'a fragmented ping': '098000000000',
    'a ping of 126 bytes': '89fe007e00000000' + '00'.repeat(126)
  }
  for (const [what, frame] of Object.entries(broken)) {
    const sender = await Raw.join(t, `${server.ws}/${name}`)
    sender.socket._socket.write(fromHex(frame))
    const { code } = await sender.closes()
    assert.ok(code === 1002 || code === 4400, `${what}: ${code}`)
  }
  assert.deepEqual(witness.closes, [])
})
