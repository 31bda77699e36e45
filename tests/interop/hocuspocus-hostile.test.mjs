// Hostile clients on a Hocuspocus socket: no corrupt update is acknowledged, nobody else notices, and the sender's other documents go on.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import * as Y from 'yjs'

import { Client, v3 as yWebSocket } from './clients.mjs'
import { freshName, pause, Server, waitFor } from './harness.mjs'
import { A, B, Editor, EMPTY_STEP1, socketOf, STORED, v3, v4, Wire } from './hocuspocus.mjs'
import { awareness, bytes, concat, fromHex, step1, step2, update as updateMessage } from './raw.mjs'

const { base, cases } = JSON.parse(readFileSync(new URL('../fixtures/hostile-updates.json', import.meta.url)))
const nested = fromHex('010105000801016101' + '7501'.repeat(20_000) + '7e00')
const sequences = [
  ...cases.map(({ effect, updates }, index) => ({ what: `case ${index} (${effect})`, updates: updates.map(hex => fromHex(hex === 'BASE' ? base : hex)) })),
  { what: 'twenty thousand nested arrays', updates: [nested] }
]
const patience = 5_000
const hex = data => Buffer.from(data).toString('hex')

let server
before(async () => { server = await Server.start() })
after(() => server.stop())

/** Honest providers of a document, one of which has another document too, and what they check: that they go on. */
async function witnesses (t, name) {
  const socket = socketOf(t, v4, server)
  const one = new Editor(t, v4, socket, name)
  const other = new Editor(t, v4, socket, freshName('beside'))
  const two = await Editor.join(t, v3, server, name)
  const three = await Client.join(t, yWebSocket, server, name)
  await Promise.all([one.settled(), other.settled()])
  let ends = 0
  socket.on('disconnect', () => { ends++ })
  let edits = 0
  return async () => {
    assert.ok(server.isRunning, `the server died\n${server.errors}`)
    const mark = `edit ${++edits}`
    one.doc.getMap('marks').set('mark', mark)
    other.text.insert(0, mark)
    const has = ({ doc }) => doc.getMap('marks').get('mark') === mark
    await waitFor('the others receive', () => has(two) && has(three), patience)
    await Promise.all([one, two, other].map(editor => editor.settled()))
    assert.deepEqual([ends, one.closes, two.closes, other.closes, three.closes], [0, [], [], [], []])
  }
}

/** A client on one socket with a document to attack and another. */
class Attacker {
  static async join (t, name) {
    const attacker = new Attacker()
    attacker.wire = await Wire.open(t, server)
    attacker.name = name
    attacker.beside = freshName('of-attacker')
    attacker.letters = [A, B]
    await Promise.all([attacker.wire.enters(name), attacker.wire.enters(attacker.beside)])
    return attacker
  }

  get answers () {
    const under = this.wire.under(this.name)
    const closes = under.filter(frame => frame.startsWith('07')).length
    return { stored: under.filter(frame => frame === STORED).length, closes, closed: closes > this.closesBefore }
  }

  /** Sends a message into the attacked document; what comes of it: 'stored', 'closed', or 'nothing' for a while. */
  async attack (message) {
    this.closesBefore = this.answers.closes
    const before = this.answers
    this.wire.send(this.name, hex(message))
    const decided = () => this.answers.closed || this.answers.stored > before.stored
    await waitFor('an answer', decided, 700).catch(() => {})
    // A late answer would come by then.
    if (this.answers.closed) await this.goesOn()
    const { stored, closed } = this.answers
    assert.ok(!(closed && stored > before.stored), 'acknowledged, and yet refused')
    assert.ok(stored - before.stored <= 1, 'acknowledged twice')
    if (!closed) return stored > before.stored ? 'stored' : 'nothing'
    this.wire.frames = []
    await this.wire.enters(this.name)
    return 'closed'
  }

  /** Its other document works. */
  async goesOn () {
    assert.equal(this.wire.closed, undefined, 'the socket is closed')
    const before = this.wire.under(this.beside).length
    this.wire.send(this.beside, EMPTY_STEP1)
    await waitFor('an answer in the other document', () => this.wire.under(this.beside).slice(before).some(frame => frame.startsWith('0001')))
    if (this.letters.length > 0) {
      const stored = () => this.wire.under(this.beside).filter(frame => frame === STORED).length
      const storedBefore = stored()
      this.wire.send(this.beside, `00 02 ${this.letters.shift()}`)
      await waitFor('an edit there is stored', () => stored() > storedBefore)
    }
  }
}

describe('updates that crash, hang or bloat CRDT libraries', () => {
  for (const { what, updates } of sequences) {
    test(`${what}: what is acknowledged loads in Yjs, what is refused is not there, and nobody notices`, async t => {
      for (const wrap of [updateMessage, step2]) {
        const name = freshName('hostile')
        const check = await witnesses(t, name)
        const attacker = await Attacker.join(t, name)
        const outcomes = []
        for (const update of updates) {
          outcomes.push(await attacker.attack(wrap(update)))
          await check()
        }
        await attacker.goesOn()
        Y.applyUpdate(new Y.Doc(), await server.export(name, 'update'))
        // The same judge sits behind the other door, where a document is empty too.
        const response = await server.post(freshName('posted'), updates[0])
        await response.arrayBuffer()
        assert.equal(outcomes[0], response.ok ? 'stored' : response.status === 409 ? 'nothing' : 'closed')
      }
    })
  }
})

const corrupt = {
  'a malformed update': updateMessage(fromHex('010107ff')),
  'an update that is cut short': updateMessage(fromHex('01010700040101740161')),
  'an update that claims a billion structs': updateMessage(fromHex('8084af5f')),
  'an update with bytes after its end': updateMessage(concat(fromHex('0101070004010174016100'), bytes(1, 2, 3))),
  'an empty buffer for an update': updateMessage(bytes()),
  'a malformed Step2': step2(fromHex('ffff')),
  'a malformed state vector': step1(fromHex('05ff')),
  'a sync message without its buffer': bytes(0, 2),
  'a length beyond the frame': bytes(0, 2, 200, 1, 0),
  'a length beyond all memory': concat(bytes(0, 2), fromHex('ffffffffffff7f')),
  'a varint without end': concat(bytes(0, 2), fromHex('ff'.repeat(40))),
  'a message type without end': fromHex('ff'.repeat(12)),
  'an unknown sync message': bytes(0, 9, 1, 0),
  'no message at all': bytes(),
  'presence that is not JSON': awareness([[83, 1, '{not json']]),
  'presence that is not UTF-8': fromHex('0106010801' + '02fffe'),
  'presence of more clients than it says': bytes(1, 1, 5),
  'presence of ten thousand': awareness(Array.from({ length: 10_000 }, (_, index) => [1_000_000 + index, 1, '{}'])),
  'a message for servers': fromHex('060178'),
  'an authentication that is none': fromHex('0205')
}

describe('what is no message of this wire', () => {
  for (const [what, message] of Object.entries(corrupt)) {
    test(`${what} closes the document of its sender with a reason, and is never acknowledged`, async t => {
      const name = freshName('corrupt')
      const check = await witnesses(t, name)
      const attacker = await Attacker.join(t, name)
      for (let round = 0; round < 3; round++) {
        assert.equal(await attacker.attack(message), 'closed')
        await attacker.goesOn()
        await check()
      }
    })
  }
})

test('an update for a document of which the sender was never let in goes nowhere', async t => {
  const name = freshName('outside')
  const check = await witnesses(t, name)
  const wire = await Wire.open(t, server)
  wire.send(name, `00 02 ${A}`)
  wire.send(`${name}\0session`, `00 02 ${A}`)
  await pause(300)
  assert.deepEqual(wire.frames, [])
  await check()
  const doc = new Y.Doc()
  Y.applyUpdate(doc, await server.export(name, 'update'))
  assert.equal(doc.getText('t').toString(), '')
})

describe('presence', () => {
  const entriesOf = (wire, address, client) => wire.under(address).filter(frame => frame.startsWith('01')).filter(frame => frame.includes(client))
  // Client id 81 as a varint; it stands before its clock and the length of its state.
  const owner = (clock, state) => hex(awareness([[81, clock, state]]))

  for (const [what, sameSocket] of [['another socket', false], ['another session of the same socket', true]]) {
    test(`of one is neither changed nor removed from ${what}`, async t => {
      const name = freshName('spoofed')
      const victim = await Wire.open(t, server)
      const thief = sameSocket ? victim : await Wire.open(t, server)
      const [here, there] = sameSocket ? [`${name}\0victim`, `${name}\0thief`] : [name, name]
      const witness = await Editor.join(t, v4, server, name)
      await victim.enters(here)
      await thief.enters(there)
      const seen = () => witness.provider.awareness.getStates().get(81)?.name
      victim.send(here, owner(5, '{"name":"victim"}'))
      await waitFor('the victim is seen', () => seen() === 'victim')
      const changes = []
      witness.provider.awareness.on('change', ({ updated, removed }) => { if ([...updated, ...removed].includes(81)) changes.push(seen()) })
      thief.send(there, owner(9, '{"name":"thief"}'))
      thief.send(there, owner(10, 'null'))
      thief.send(there, owner(0xffffffff, '{"name":"thief"}'))
      thief.send(there, hex(awareness([[82, 1, '{"name":"thief himself"}']])))
      await waitFor('the thief is seen', () => witness.provider.awareness.getStates().has(82))
      assert.deepEqual([seen(), changes], ['victim', []])
      // The owner is still heard, and stays when the thief goes.
      victim.send(here, owner(6, '{"name":"victim still"}'))
      await waitFor('the victim changes', () => seen() === 'victim still')
      if (sameSocket) thief.send(there, '07')
      else thief.socket.terminate()
      await waitFor('the thief is gone', () => !witness.provider.awareness.getStates().has(82))
      assert.equal(seen(), 'victim still')
      assert.ok(entriesOf(victim, here, hex(Buffer.from('thief"'))).length === 0, 'the owner is told of its own theft')
    })
  }
})
