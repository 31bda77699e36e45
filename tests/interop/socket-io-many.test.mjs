// Thousands of sockets come, talk, and go in every way that there is: afterwards nothing of them is left in the server.
//
// A round is bounded by what the machine allows: each socket costs a file descriptor here and one in the server.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { WebSocket } from 'ws'

import { Frames } from './engine.mjs'
import { Echo, waitFor } from './harness.mjs'

const sockets = Number(process.env.YDOCK_TEST_SOCKETS ?? 5_000)
const atOnce = 100
const rounds = 6
const rooms = 50
const many = '100000000'

let server
before(async () => {
  server = await Echo.start({
    MAX_OPEN: many,
    EVENTS_PER_SECOND: many,
    EVENTS_AT_ONCE: many,
    ADDRESS_EVENTS_PER_SECOND: many,
    ADDRESS_EVENTS_AT_ONCE: many,
    // Who has just gone without a word is found out soon.
    PING_INTERVAL: '5s',
    PING_TIMEOUT: '15s'
  })
})
after(() => server.stop())

/** A socket that keeps nothing of what it hears but how much it was. */
class Light {
  constructor (number) {
    this.heard = 0
    this.entered = 0
    this.joined = 0
    this.opened = 0
    this.room = `room-${number % rooms}`
    this.number = number
    this.socket = new WebSocket(`${server.ws}/socket.io/?EIO=4&transport=websocket`, { perMessageDeflate: false, skipUTF8Validation: true })
    this.socket.on('error', error => { this.error = error })
    this.socket.on('message', (data, isBinary) => {
      const text = isBinary ? '' : String(data)
      if (text === '2') this.socket.send('3')
      else if (text.startsWith('0')) this.begin()
      else if (text.startsWith('40')) this.enter()
      else if (text.startsWith('430')) this.joined++
      else if (text.startsWith('42["said"')) this.heard++
    })
    this.gone = new Promise(resolve => this.socket.on('close', resolve))
  }

  /** Every second one is in a namespace more, which is there only while somebody is in it. */
  get namespaces () { return this.number % 2 === 0 ? 2 : 1 }

  begin () {
    this.opened++
    this.socket.send('40')
    if (this.namespaces === 2) this.socket.send(`40/tenant-${this.number % 500},`)
  }

  enter () {
    this.entered++
    if (this.entered === this.namespaces) this.socket.send(`420["join","${this.room}"]`)
  }

  get isReady () {
    if (this.error) throw new Error(`socket ${this.number}`, { cause: this.error })
    return this.joined === 1 && this.entered === this.namespaces
  }

  /** In order, by a closed socket, by no word at all, or with an answer owed. */
  leave () {
    switch (this.number % 4) {
      case 0: this.socket.send('41'); this.socket.close(); break
      case 1: this.socket.send('1'); break
      case 2: this.socket.terminate(); break
      // The server waits for the acknowledgement of who is going.
      default: this.socket.send('427["emit-with-ack",1]'); this.socket.close()
    }
  }
}

async function round () {
  const all = []
  for (let number = 0; number < sockets; number++) {
    const light = new Light(number)
    all.push(light)
    // No more at once than the server's queue of new connections takes.
    if (number >= atOnce) await waitFor('a socket is ready', () => all[number - atOnce].isReady, 30_000)
  }
  await waitFor('all are ready', () => all.every(light => light.isReady), 30_000)
  const speakers = all.filter(({ number }) => number % sockets < rooms)
  for (const speaker of speakers) for (let time = 0; time < 3; time++) speaker.socket.send(`42["say","${speaker.room}",{"time":${time}}]`)
  const expected = light => speakers.includes(light) ? 0 : 3
  await waitFor('everybody has heard', () => all.every(light => light.heard === expected(light)), 30_000)
  return all
}

const memory = () => Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${server.child.pid}/status`, 'utf8'))[1]) / 1024
const descriptors = () => readdirSync(`/proc/${server.child.pid}/fd`).length

test(`of ${sockets} sockets nothing is left, and more rounds need no more memory`, { timeout: 300_000 }, async t => {
  const witness = await Frames.connect(t, server)
  const counts = async () => {
    witness.send('421["counts"]')
    const { allocated, ...counts } = JSON.parse((await witness.next('the counts')).slice(3))[0]
    held = allocated / 2 ** 20
    return counts
  }
  let held
  const empty = await counts()
  const began = held
  assert.deepEqual({ ...empty, namespaces: 0 }, { clients: 1, namespaces: 0, topics: 0, members: 1 })
  const open = descriptors()
  const [used, left, heights] = [[], [], []]
  for (let number = 1; number <= rounds; number++) {
    const started = performance.now()
    const all = await round()
    const full = await counts()
    assert.deepEqual(full, { clients: 1 + sockets + Math.ceil(sockets / 2), namespaces: empty.namespaces + 250, topics: rooms, members: 1 + sockets })
    const [most, mostHeld] = [memory(), held]
    for (const light of all) light.leave()
    await Promise.all(all.map(light => light.gone))
    await waitFor('the counts are back', async () => assert.deepEqual(await counts(), empty) ?? true, 30_000)
    await waitFor('the connections are closed', () => descriptors() <= open, 30_000)
    used.push(memory())
    await counts()
    left.push(held)
    heights.push(mostHeld)
    const told = [mostHeld, held, most, used.at(-1)].map(megabytes => megabytes.toFixed(1))
    t.diagnostic(`round ${number}: allocated ${told[0]} MB with all, ${told[1]} MB without (${began.toFixed(1)} before); resident ${told[2]} and ${told[3]}; ${Math.round(performance.now() - started)} ms`)
  }
  const taken = Math.max(...heights) - began
  assert.ok(left.every(held => held - began < taken * 0.1), `of ${taken} MB, ${left.map(held => held - began)} MB are left`)
  assert.ok(left.at(-1) < left[0] * 1.1, `${left} MB are left after the rounds`)
  // What the system's allocator keeps of it settles in the second round.
  assert.ok(used.at(-1) < used[1] * 1.08, `${used.map(Math.round)} MB`)
})
