// Long silences: clients stay connected through them, and what is never renewed goes away.
//
// y-websocket up to 3.1 and its 4.0.0-3 drop a socket on which no message came for 30 s, whatever WebSocket pings say; a lone member
// hears nothing from others. So the server speaks up itself. These tests wait in parallel, 100 s in all.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { Client, versions } from './clients.mjs'
import { freshName, pause, Server, waitFor } from './harness.mjs'
import { AWARENESS, Raw, awareness } from './raw.mjs'

const silence = 100_000

let server
before(async () => { server = await Server.start() })
after(() => server.stop())

describe('in silence', { concurrency: true }, () => {
  for (const version of versions) {
    for (const [what, state] of [['presence', { name: 'lonely' }], ['no presence', null]]) {
      test(`a lone ${version.name} client with ${what} stays connected`, async t => {
        const client = await Client.join(t, version, server, freshName('idle'))
        client.awareness.setLocalState(state)
        let ended = 0
        client.provider.on('connection-close', () => ended++)
        const socket = client.provider.ws
        await pause(silence)
        assert.equal(ended, 0)
        assert.equal(client.provider.ws, socket)
        assert.equal(client.provider.synced, true)
      })
    }
  }

  test('a member to whom nothing is said hears an empty presence at least every 25 s', async t => {
    const raw = await Raw.join(t, `${server.ws}/${freshName('idle')}`)
    const times = [performance.now()]
    raw.socket.on('message', data => {
      times.push(performance.now())
      assert.equal(Buffer.from(data).toString('hex'), '010100')
    })
    await pause(70_000)
    times.push(performance.now())
    const longest = Math.max(...times.slice(1).map((time, index) => time - times[index]))
    assert.ok(longest < 25_000, `${Math.round(longest)} ms of silence`)
    assert.equal(raw.closed, null)
  })

  test('a presence that is never renewed is gone after 30 s, and its member stays', async t => {
    const url = `${server.ws}/${freshName('idle')}`
    const [still, other] = await Promise.all([Raw.join(t, url), Raw.join(t, url)])
    still.send(awareness([[91, 1, '{"name":"still"}']]))
    const states = () => other.frames.filter(frame => frame.type === AWARENESS).flatMap(frame => frame.states).filter(({ client }) => client === 91)
    await waitFor('it is seen', () => states().some(({ state }) => state?.name === 'still'))
    await pause(20_000)
    assert.equal(states().some(({ state }) => state === null), false, 'too early')
    await waitFor('it is gone', () => states().some(({ state }) => state === null), 25_000)
    assert.equal(still.closed, null)
  })
})
