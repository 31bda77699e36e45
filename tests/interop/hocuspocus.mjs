// The published Hocuspocus providers, and their wire byte by byte.
//
// Providers are driven alike: a socket that several may share, and on it a document with its provider.

import * as Y from 'yjs'
import { WebSocket } from 'ws'
import { HocuspocusProvider as Provider2, HocuspocusProviderWebsocket as Socket2 } from 'hocuspocus-2'
import { HocuspocusProvider as Provider3, HocuspocusProviderWebsocket as Socket3 } from 'hocuspocus-3'
import { HocuspocusProvider as Provider4, HocuspocusProviderWebsocket as Socket4 } from 'hocuspocus-4'

import { waitFor } from './harness.mjs'

export const versions = [
  { name: 'Hocuspocus 2.15', Provider: Provider2, Socket: Socket2 },
  { name: 'Hocuspocus 3.4', Provider: Provider3, Socket: Socket3 },
  { name: 'Hocuspocus 4.8', Provider: Provider4, Socket: Socket4 }
]
export const [v2, v3, v4] = versions

/** Providers give up sockets that have not opened yet, and do not hear them complain. */
class Patient extends WebSocket {
  constructor (...options) {
    super(...options)
    this.on('error', () => {})
  }
}

/** A socket that providers may share. It lives as long as the test `t`. */
export function socketOf (t, { Socket }, server, { path = '/hocuspocus', messageReconnectTimeout = 30_000 } = {}) {
  const socket = new Socket({ url: `${server.ws}${path}`, WebSocketPolyfill: Patient, delay: 100, minDelay: 50, maxDelay: 200, messageReconnectTimeout })
  t.after(() => socket.destroy())
  return socket
}

/** A provider of a document over a socket. */
export class Editor {
  constructor (t, version, socket, name, options = {}) {
    this.doc = new Y.Doc()
    this.denied = []
    this.closes = []
    this.unsynced = 0
    this.provider = new version.Provider({
      websocketProvider: socket,
      name,
      document: this.doc,
      token: 'a token',
      onAuthenticationFailed: ({ reason }) => this.denied.push(reason),
      onClose: ({ event }) => this.closes.push(event),
      ...options
    })
    this.provider.attach?.()
    t.after(() => this.provider.destroy())
  }

  static async join (t, version, server, name, options) {
    const editor = new Editor(t, version, socketOf(t, version, server, options), name, options)
    await editor.settled()
    return editor
  }

  get text () { return this.doc.getText('text') }

  synced () { return waitFor('the provider is synced', () => this.provider.synced || this.provider.isSynced) }

  /** Synced, and everything acknowledged. What version 2 sends after a pause is answered more often than it counts, which ends below 0. */
  async settled () {
    await this.synced()
    await waitFor('nothing is unsynced', () => this.provider.unsyncedChanges <= 0)
  }
}

/** The wire byte by byte: every frame that came, in hex. */
export class Wire {
  constructor (t, url) {
    this.frames = []
    this.socket = new WebSocket(url, { perMessageDeflate: false })
    this.socket.on('message', data => this.frames.push(data.toString('hex')))
    this.socket.on('close', (code, reason) => { this.closed = { code, reason: String(reason) } })
    this.socket.on('error', () => {})
    t.after(() => this.socket.terminate())
  }

  static async open (t, server) {
    const wire = new Wire(t, `${server.ws}/hocuspocus`)
    await waitFor('the socket is open', () => wire.socket.readyState === WebSocket.OPEN)
    return wire
  }

  /** Sends a message under an address of fewer than 128 bytes. */
  send (address, hex) {
    this.socket.send(Buffer.concat([Buffer.from([address.length]), Buffer.from(address), Buffer.from(hex.replaceAll(' ', ''), 'hex')]))
  }

  /** What came under an address. */
  under (address) {
    const start = Buffer.concat([Buffer.from([address.length]), Buffer.from(address)]).toString('hex')
    return this.frames.filter(frame => frame.startsWith(start)).map(frame => frame.slice(start.length))
  }

  receives (address, hex) {
    return waitFor(`${hex} under ${address}`, () => this.under(address).includes(hex.replaceAll(' ', '')))
  }

  async enters (address) {
    this.send(address, TOKEN)
    await this.receives(address, READ_WRITE)
  }
}

export const TOKEN = '02 00 0174 05 342e382e30'
export const READ_WRITE = '02 02 0a 726561642d7772697465'
export const EMPTY_STEP1 = '00 00 01 00'
export const EMPTY_STEP2 = '00 01 02 0000'
export const STORED = '0801'
export const NOT_STORED = '0800'
// Client 7 types a and b into t, the second after the first.
export const A = '0b 0101070004010174016100'
export const B = '0a 01010701840700016200'
