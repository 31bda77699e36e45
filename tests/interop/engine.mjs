// A Socket.IO client that knows nothing: it sends what it is told to, by raw WebSocket frames and HTTP requests, and keeps all that came.

import assert from 'node:assert/strict'
import { WebSocket } from 'ws'

import { waitFor } from './harness.mjs'

const path = '/socket.io/?EIO=4'
/** Joins the packets of a polling payload. */
export const separator = '\x1e'

/** A WebSocket with a log of all packets but pings, texts and Buffers, and with the pings counted. It lives as long as the test `t`. */
export class Frames {
  constructor (t, server, { query = '&transport=websocket', answersPings = true, headers = {} } = {}) {
    this.packets = []
    this.pings = 0
    this.closed = null
    this.refused = null
    this.read = 0
    this.socket = new WebSocket(`${server.ws}${path}${query}`, { perMessageDeflate: false, headers })
    this.socket.on('message', (data, isBinary) => {
      if (!isBinary && String(data) === '2') {
        this.pings++
        if (answersPings) this.send('3')
      } else {
        this.packets.push(isBinary ? data : String(data))
      }
    })
    this.socket.on('close', (code, reason) => { this.closed ??= { code, reason: String(reason) } })
    this.socket.on('error', () => {})
    this.socket.on('unexpected-response', (request, response) => { this.refused = response.statusCode; request.destroy() })
    t.after(() => this.socket.terminate())
  }

  /** One whose transport has opened: `opening` is what the server said first. */
  static async open (t, server, options) {
    const frames = new Frames(t, server, options)
    const first = await frames.next('the opening')
    assert.equal(first[0], '0')
    frames.opening = JSON.parse(first.slice(1))
    return frames
  }

  /** One that has connected to a namespace and been greeted: `id` is what it is called there. */
  static async connect (t, server, namespace = '/', options = {}) {
    const frames = await Frames.open(t, server, options)
    await frames.enter(namespace, options.auth)
    return frames
  }

  async enter (namespace = '/', auth) {
    const prefix = namespace === '/' ? '' : `${namespace},`
    this.send(`40${prefix}${auth ? JSON.stringify(auth) : ''}`)
    const answer = await this.next(`the answer to the connect to ${namespace}`)
    assert.ok(answer.startsWith(`40${prefix}{`), answer)
    this.id = JSON.parse(answer.slice(2 + prefix.length)).sid
    const greeting = await this.next('the greeting')
    assert.equal(greeting, `42${prefix}${JSON.stringify(['auth', auth ?? {}])}`)
    return this.id
  }

  send (...packets) { for (const packet of packets) this.socket.send(packet) }

  /** The next packet that nobody has looked at. */
  async next (what = 'a packet', ms) {
    await waitFor(what, () => {
      assert.equal(this.refused, null, `refused with ${this.refused}`)
      return this.packets.length > this.read
    }, ms)
    return this.packets[this.read++]
  }

  async nexts (count, what) {
    const some = []
    while (some.length < count) some.push(await this.next(what))
    return some
  }

  closes (ms) { return waitFor('the server closes the socket', () => this.closed, ms) }
}

/** A polling client: every request is one of the test's own. */
export class Polling {
  constructor (server, headers = {}) {
    this.server = server
    this.headers = headers
  }

  static async open (server, headers) {
    const polling = new Polling(server, headers)
    const response = await polling.request('GET')
    assert.equal(response.status, 200)
    const text = await response.text()
    assert.equal(text[0], '0')
    polling.opening = JSON.parse(text.slice(1))
    polling.sid = polling.opening.sid
    return polling
  }

  request (method, body, query = '') {
    const sid = this.sid ? `&sid=${this.sid}` : ''
    return fetch(`${this.server.url}${path}&transport=polling${sid}${query}`, { method, body, headers: this.headers, signal: AbortSignal.timeout(20_000) })
  }

  /** Sends packets; the answer is the status. */
  async post (...packets) {
    const response = await this.request('POST', packets.join(separator))
    await response.arrayBuffer()
    return response.status
  }

  /** What the server has to say, without pings, which are answered. Waits until there is something else. */
  async poll () {
    for (;;) {
      const response = await this.request('GET')
      if (response.status !== 200) return { status: response.status, packets: [] }
      const packets = (await response.text()).split(separator)
      const others = packets.filter(packet => packet !== '2')
      if (others.length < packets.length) await this.post('3')
      if (others.length > 0) return { status: 200, packets: others }
    }
  }

  /** Polls until so many packets have come. */
  async polls (count) {
    const all = []
    while (all.length < count) {
      const { status, packets } = await this.poll()
      assert.equal(status, 200)
      all.push(...packets)
    }
    return all
  }

  async enter (namespace = '/', auth) {
    const prefix = namespace === '/' ? '' : `${namespace},`
    assert.equal(await this.post(`40${prefix}${auth ? JSON.stringify(auth) : ''}`), 200)
    const [answer] = await this.polls(2)
    this.id = JSON.parse(answer.slice(2 + prefix.length)).sid
    return this.id
  }
}
