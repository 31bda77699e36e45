// The published y-websocket clients, each with the Yjs that it belongs to.
//
// All of them are driven alike: a document, its shared types, a provider on a socket that the test can cut.

import { isDeepStrictEqual } from 'node:util'
import * as Yjs13 from 'yjs'
import * as Yjs14 from '@y/y'
import { WebSocket } from 'ws'
import { WebsocketProvider as Provider2 } from 'y-websocket-2'
import { WebsocketProvider as Provider3 } from 'y-websocket-3'
import { WebsocketProvider as Provider4 } from '@y/websocket'

import { waitFor } from './harness.mjs'

export const versions = [
  { name: 'y-websocket 2.1', Y: Yjs13, Provider: Provider2 },
  { name: 'y-websocket 3.1', Y: Yjs13, Provider: Provider3 },
  { name: '@y/websocket 4', Y: Yjs14, Provider: Provider4 }
]
export const [v2, v3, v4] = versions

/** A document with a provider. It lives as long as the test `t`. */
export class Client {
  constructor (t, version, server, name, options = {}) {
    const { base = server.ws, ...rest } = options
    this.version = version
    this.doc = new version.Y.Doc()
    this.closes = []
    // Tabs of one browser would talk past the server: not here.
    this.provider = new version.Provider(base, name, this.doc, { WebSocketPolyfill: WebSocket, disableBc: true, maxBackoffTime: 200, ...rest })
    this.provider.on('connection-close', event => { if (event) this.closes.push({ code: event.code, reason: event.reason }) })
    this.provider.on('connection-error', () => {})
    t.after(() => this.end())
  }

  /** A client that has received the document. */
  static async join (t, version, server, name, options) {
    const client = new Client(t, version, server, name, options)
    await client.synced()
    return client
  }

  get awareness () { return this.provider.awareness }
  get id () { return this.doc.clientID }
  get text () { return this.doc.getText('text') }
  get map () { return this.doc.getMap('map') }
  get array () { return this.doc.getArray('array') }
  get xml () { return this.doc.getXmlFragment('xml') }

  /** Everything in the document, in a form to compare. */
  get content () {
    return { text: this.text.toString(), map: this.map.toJSON(), array: this.array.toJSON(), xml: this.xml.toString() }
  }

  get update () { return this.version.Y.encodeStateAsUpdate(this.doc) }

  synced () { return waitFor(`${this.version.name} is synced`, () => this.provider.synced) }

  offline () {
    this.provider.disconnect()
    return waitFor('the provider is offline', () => !this.provider.wsconnected)
  }

  online () {
    this.provider.connect()
    return this.synced()
  }

  /** The network goes away: no close frame, no goodbye. The provider reconnects by itself. */
  cut () { this.provider.ws?.terminate() }

  /** The network goes away and stays away. */
  vanish () {
    this.provider.shouldConnect = false
    this.cut()
  }

  end () {
    this.provider.destroy()
    this.awareness.destroy()
    this.doc.destroy()
  }
}

/** Waits until all clients hold the same content, and gives it back. */
export async function converged (clients, ms) {
  const [first] = clients
  await waitFor('the clients converge', () => {
    const expected = first.content
    return clients.every(client => isDeepStrictEqual(client.content, expected))
  }, ms).catch(error => {
    throw new Error(`${error.message}: ${clients.map(client => JSON.stringify(client.content).slice(0, 300)).join(' | ')}`)
  })
  return first.content
}
