// A WebSocket client that speaks the protocol byte by byte, to say what no library would say and to see every frame.

import { WebSocket } from 'ws'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'

import { waitFor } from './harness.mjs'

export const SYNC = 0
export const AWARENESS = 1
export const QUERY_AWARENESS = 3
export const TYPING = 101

const sync = subtype => bytes => message(encoder => {
  encoding.writeVarUint(encoder, SYNC)
  encoding.writeVarUint(encoder, subtype)
  encoding.writeVarUint8Array(encoder, bytes)
})
export const step1 = sync(0)
export const step2 = sync(1)
export const update = sync(2)
export const emptyStateVector = Uint8Array.of(0)

/** An awareness message of `[client id, clock, state]`, the state as a JSON text. */
export const awareness = entries => message(encoder => {
  encoding.writeVarUint(encoder, AWARENESS)
  encoding.writeVarUint8Array(encoder, encoding.encode(body => {
    encoding.writeVarUint(body, entries.length)
    for (const [client, clock, state] of entries) {
      encoding.writeVarUint(body, client)
      encoding.writeVarUint(body, clock)
      encoding.writeVarString(body, state)
    }
  }))
})
export const queryAwareness = Uint8Array.of(QUERY_AWARENESS)

export const typing = (on, place) => message(encoder => {
  encoding.writeVarUint(encoder, TYPING)
  encoding.writeVarUint(encoder, on ? 1 : 0)
  encoding.writeVarString(encoder, place)
})

export const bytes = (...numbers) => Uint8Array.from(numbers)
export const fromHex = hex => Uint8Array.from(Buffer.from(hex, 'hex'))
export const concat = (...parts) => Uint8Array.from(Buffer.concat(parts))

/** A frame as an object. What is left in it after one message is `more`, which a server must never send. */
export function read (frame) {
  const decoder = decoding.createDecoder(frame)
  const type = decoding.readVarUint(decoder)
  const seen = { type }
  if (type === SYNC) {
    seen.subtype = decoding.readVarUint(decoder)
    seen.payload = decoding.readVarUint8Array(decoder)
  } else if (type === AWARENESS) {
    const body = decoding.createDecoder(decoding.readVarUint8Array(decoder))
    seen.states = list(body, () => ({ client: decoding.readVarUint(body), clock: decoding.readVarUint(body), state: JSON.parse(decoding.readVarString(body)) }))
  } else if (type === TYPING) {
    seen.typing = list(decoder, () => ({ client: decoding.readVarUint(decoder), on: decoding.readVarUint(decoder) === 1, place: decoding.readVarString(decoder) }))
  }
  seen.more = decoder.arr.length - decoder.pos
  return seen
}

/** A socket with a log of all that came: `frames` decoded, `closed` once it is. It lives as long as the test `t`. */
export class Raw {
  constructor (t, url, { protocols = [], ...options } = {}) {
    this.frames = []
    this.closed = null
    this.refused = null
    this.socket = new WebSocket(url, protocols, { perMessageDeflate: false, ...options })
    this.socket.on('message', (data, isBinary) => this.frames.push(isBinary ? read(new Uint8Array(data)) : { text: String(data) }))
    this.socket.on('close', (code, reason) => { this.closed ??= { code, reason: String(reason) } })
    this.socket.on('error', () => {})
    this.socket.on('unexpected-response', (request, response) => { this.refused = response.statusCode; request.destroy() })
    t.after(() => this.socket.terminate())
  }

  static async open (t, url, options) {
    const raw = new Raw(t, url, options)
    await waitFor(`${url} opens`, () => raw.socket.readyState === WebSocket.OPEN)
    return raw
  }

  /** A member that has done what a client does on opening, and has been answered. */
  static async join (t, url, options) {
    const raw = await Raw.open(t, url, options)
    raw.send(step1(emptyStateVector))
    await raw.receives('Step2', frame => frame.type === SYNC && frame.subtype === 1)
    return raw
  }

  send (data) { this.socket.send(data) }

  /** Waits for a frame that came, now or earlier. */
  receives (what, condition, ms) { return waitFor(`a frame: ${what}`, () => this.frames.find(condition), ms) }

  /** The Yjs updates that came, Step2 included. */
  get updates () { return this.frames.filter(frame => frame.type === SYNC && frame.subtype > 0).map(frame => frame.payload) }

  /** Waits for a round trip: what the server had to say to earlier messages has come by then. Gives back the frames before the answer. */
  async settled () {
    const before = this.frames.length
    // Who knows anything is answered with one frame.
    this.send(step1(bytes(1, 1, 1)))
    const isAnswer = (frame, index) => index >= before && frame.type === SYNC && frame.subtype === 1
    await waitFor('the answer to Step1', () => this.frames.some(isAnswer))
    return this.frames.slice(0, this.frames.findIndex(isAnswer))
  }

  closes (ms) { return waitFor('the server closes the socket', () => this.closed, ms) }
}

function message (write) { return encoding.encode(write) }

function list (decoder, readOne) {
  return Array.from({ length: decoding.readVarUint(decoder) }, readOne)
}
