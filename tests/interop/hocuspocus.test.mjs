// Hocuspocus providers: they change their URL and stay.

import assert from 'node:assert/strict'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { Client, versions as yWebSockets } from './clients.mjs'
import { freshName, pause, Server, waitFor } from './harness.mjs'
import { A, B, Editor, EMPTY_STEP1, EMPTY_STEP2, NOT_STORED, READ_WRITE, socketOf, STORED, TOKEN, v2, versions, Wire } from './hocuspocus.mjs'

const textIs = (editors, text) => waitFor(`everybody has ${JSON.stringify(text)}`, () => editors.every(editor => editor.text.toString() === text))

const servers = []
/** A server that ends after all tests: version 2 never stops trying to reach one that went before its clients. */
async function start (...flags) {
  const started = await Server.start(...flags)
  servers.push(started)
  return started
}

let server
before(async () => { server = await start() })
after(() => Promise.all(servers.map(started => started.stop())))

for (const version of versions) {
  describe(version.name, () => {
    test('two providers converge, and everything is acknowledged', async t => {
      const name = freshName()
      const one = await Editor.join(t, version, server, name)
      const two = await Editor.join(t, version, server, name)
      one.text.insert(0, 'hello')
      await textIs([one, two], 'hello')
      for (let letter = 0; letter < 50; letter++) two.text.insert(two.text.length, '!')
      await textIs([one, two], `hello${'!'.repeat(50)}`)
      await one.settled()
      await two.settled()
    })

    test('it may be reached without a path too', async t => {
      const editor = await Editor.join(t, version, server, freshName(), { path: '/?any=thing' })
      editor.text.insert(0, 'x')
      await editor.settled()
    })

    test('what was acknowledged is there after a kill', async t => {
      const own = await start()
      const name = freshName()
      const one = await Editor.join(t, version, own, name)
      one.text.insert(0, 'durable')
      await one.settled()
      await own.kill()
      await own.restart()
      const two = await Editor.join(t, version, own, name)
      assert.equal(two.text.toString(), 'durable')
      await textIs([one, two], 'durable')
    })

    test('edits made while the network is away come after it', async t => {
      const name = freshName()
      const socket = socketOf(t, version, server)
      const one = new Editor(t, version, socket, name)
      const two = await Editor.join(t, version, server, name)
      await one.settled()
      let isAway = false
      socket.on('disconnect', () => { isAway = true })
      socket.webSocket.close()
      await waitFor('it is away', () => isAway)
      one.text.insert(0, 'a')
      two.text.insert(0, 'b')
      await waitFor('they are together again', () => one.text.toString().length === 2 && one.text.toString() === two.text.toString())
      await one.settled()
      await two.settled()
    })

    test('50 documents share a socket', async t => {
      const socket = socketOf(t, version, server)
      const names = Array.from({ length: 50 }, () => freshName())
      const editors = names.map(name => new Editor(t, version, socket, name))
      await Promise.all(editors.map(editor => editor.settled()))
      editors.forEach((editor, number) => editor.text.insert(0, `document ${number}`))
      await Promise.all(editors.map(editor => editor.settled()))
      const reader = await Editor.join(t, version, server, names[17])
      assert.equal(reader.text.toString(), 'document 17')
    })

    test('presence reaches the others, and goes with its owner', async t => {
      const name = freshName()
      const one = await Editor.join(t, version, server, name)
      const two = await Editor.join(t, version, server, name)
      one.provider.awareness.setLocalState({ user: 'Ada' })
      const seen = () => two.provider.awareness.getStates().get(one.doc.clientID)?.user
      await waitFor('the state is seen', () => seen() === 'Ada')
      one.provider.destroy()
      await waitFor('it is gone', () => seen() === undefined)
    })

    test('who may only read is told so; its edits stay unsynced and reach nobody', async t => {
      const own = await start('--everyone', 'view')
      const name = freshName()
      const scopes = []
      const one = await Editor.join(t, version, own, name, { onAuthenticated: event => scopes.push(event?.scope) })
      const two = await Editor.join(t, version, own, name)
      if (version !== v2) assert.deepEqual(scopes, ['readonly'])
      one.text.insert(0, 'no')
      await pause(300)
      assert.equal(two.text.toString(), '')
      assert.equal(one.provider.unsyncedChanges, 1)
      one.provider.awareness.setLocalState({ user: 'Ada' })
      await waitFor('its presence is seen', () => two.provider.awareness.getStates().has(one.doc.clientID))
    })

    test('an impossible name is refused, and the others on the socket stay', async t => {
      const socket = socketOf(t, version, server)
      const good = new Editor(t, version, socket, freshName())
      const bad = new Editor(t, version, socket, 'x'.repeat(2000))
      await good.settled()
      await waitFor('it is refused', () => bad.denied.length > 0)
      assert.match(bad.denied[0], /longer than 1024 bytes/)
      good.text.insert(0, 'still here')
      await good.settled()
    })
  })
}

test('providers of all versions and y-websocket clients share a document', async t => {
  const name = freshName()
  const editors = await Promise.all(versions.map(version => Editor.join(t, version, server, name)))
  const clients = await Promise.all(yWebSockets.slice(0, 2).map(version => Client.join(t, version, server, name)))
  const everybody = [...editors, ...clients]
  everybody.forEach((one, number) => one.text.insert(0, `${number}`))
  await waitFor('all have all', () => everybody.every(one => one.text.toString().length === everybody.length && one.text.toString() === editors[0].text.toString()))
  await Promise.all(editors.map(editor => editor.settled()))
})

for (const version of versions) {
  test(`silence does not end a connection of ${version.name}, and what keeps it awake is no message to it`, async t => {
    const settings = join(await mkdtemp(join(tmpdir(), 'ydock-settings-')), 'ydock.toml')
    await writeFile(settings, '[connections]\nkeep_alive = "400ms"\n')
    const own = await start('--config', settings)
    const socket = socketOf(t, version, own, { messageReconnectTimeout: 1000 })
    let ends = 0
    socket.on('disconnect', () => { ends++ })
    const editor = new Editor(t, version, socket, freshName(), { awareness: null })
    await editor.settled()
    await pause(3000)
    assert.equal(ends, 0)
    editor.text.insert(0, 'x')
    await editor.settled()
  })
}

test('sessions of version 4 are told apart on one socket', async t => {
  const [, , version] = versions
  const [name, socket] = [freshName(), socketOf(t, version, server)]
  const [one, two] = [1, 2].map(() => new Editor(t, version, socket, name, { sessionAwareness: true }))
  await Promise.all([one.settled(), two.settled()])
  one.text.insert(0, 'both')
  await textIs([one, two], 'both')
  one.provider.destroy()
  two.text.insert(0, 'one: ')
  await two.settled()
})

describe('the wire', () => {
  test('frames come as from the reference server', async t => {
    const wire = await Wire.open(t, server)
    const name = freshName()
    wire.send(name, TOKEN)
    wire.send(name, EMPTY_STEP1)
    wire.send(name, '01 06 010700 02 7b7d')
    await wire.receives(name, EMPTY_STEP2)
    assert.deepEqual(wire.under(name).slice(0, 3), [READ_WRITE, EMPTY_STEP1, EMPTY_STEP2].map(hex => hex.replaceAll(' ', '')))
    wire.send(name, EMPTY_STEP2)
    await wire.receives(name, STORED)
    wire.send(name, `00 02 ${A}`)
    await waitFor('a second answer', () => wire.under(name).filter(frame => frame === STORED).length === 2)
    wire.send(name, '07')
    await wire.receives(name, '07 12 70726f76696465725f696e69746961746564')
    assert.equal(wire.closed, undefined)
  })

  test('each update has one answer, also one that waits for what is missing before it', async t => {
    const wire = await Wire.open(t, server)
    const name = freshName()
    await wire.enters(name)
    wire.send(name, `00 02 ${B}`)
    await pause(400)
    assert.deepEqual(wire.under(name).filter(frame => frame === STORED), [])
    wire.send(name, `00 02 ${A}`)
    await waitFor('both answers', () => wire.under(name).filter(frame => frame === STORED).length === 2)
    wire.send(name, `00 02 ${A}`)
    await waitFor('an answer for what is known', () => wire.under(name).filter(frame => frame === STORED).length === 3)
    await pause(400)
    assert.equal(wire.under(name).filter(frame => frame === STORED).length, 3)
  })

  test('a corrupt update is never acknowledged and disturbs nobody', async t => {
    const [wire, other] = [await Wire.open(t, server), await Wire.open(t, server)]
    const [name, untouched] = [freshName(), freshName()]
    await Promise.all([wire.enters(name), wire.enters(untouched), other.enters(name)])
    wire.send(name, '00 02 03 010107')
    await waitFor('the document is closed', () => wire.under(name).some(frame => frame.startsWith('07')))
    assert.equal(wire.under(name).includes(STORED), false)
    wire.send(untouched, `00 02 ${A}`)
    other.send(name, `00 02 ${A}`)
    await Promise.all([wire.receives(untouched, STORED), other.receives(name, STORED)])
    // The room has let it go: it hears nothing more, until it comes in again.
    assert.equal(wire.under(name).some(frame => frame.startsWith('0002')), false)
    await pause(50)
    wire.frames = []
    await wire.enters(name)
    wire.send(name, EMPTY_STEP1)
    await wire.receives(name, `00 01 ${A}`)
  })

  test('a deleted document is closed, and the others on the socket stay', async t => {
    const wire = await Wire.open(t, server)
    const [name, other] = [freshName(), freshName()]
    await Promise.all([wire.enters(name), wire.enters(other)])
    wire.send(name, `00 02 ${A}`)
    await wire.receives(name, STORED)
    assert.equal((await fetch(server.api(name), { method: 'DELETE' })).status, 204)
    await waitFor('the document is closed', () => wire.under(name).some(frame => frame.startsWith('07')))
    wire.send(other, `00 02 ${A}`)
    await wire.receives(other, STORED)
  })

  test('who may only read has an answer too: whether it brings anything new', async t => {
    const own = await start('--everyone', 'view')
    const wire = await Wire.open(t, own)
    const name = freshName()
    wire.send(name, TOKEN)
    await wire.receives(name, '02 02 08 726561646f6e6c79')
    wire.send(name, EMPTY_STEP2)
    await wire.receives(name, STORED)
    wire.send(name, `00 01 ${A}`)
    await wire.receives(name, NOT_STORED)
    wire.send(name, `00 02 ${A}`)
    await waitFor('another', () => wire.under(name).filter(frame => frame === NOT_STORED).length === 2)
  })

  test('who detaches on the way in and comes back at once is in the room once', async t => {
    const [wire, other] = [await Wire.open(t, server), await Wire.open(t, server)]
    const name = freshName()
    await other.enters(name)
    // Together, so that the server has all of it before the room has answered.
    wire.socket._socket.cork()
    for (const hex of [TOKEN, EMPTY_STEP1, '07', TOKEN, EMPTY_STEP1, '07', TOKEN, EMPTY_STEP1, `00 02 ${A}`]) wire.send(name, hex)
    wire.socket._socket.uncork()
    await wire.receives(name, STORED)
    await other.receives(name, `00 02 ${A}`)
    assert.equal(wire.under(name).filter(frame => frame === EMPTY_STEP1.replaceAll(' ', '')).length, 1)
    wire.send(name, `00 02 ${B}`)
    await waitFor('a second answer', () => wire.under(name).filter(frame => frame === STORED).length === 2)
    wire.send(name, '07')
    await pause(50)
    const before = wire.frames.length
    other.send(name, '00 02 0a 01010800840701016300')
    await other.receives(name, STORED)
    assert.equal(wire.frames.length, before, 'it hears what happens in a room that it has left')
  })

  test('who asks on without reading is ended', async t => {
    const wire = await Wire.open(t, server)
    wire.socket._socket.pause()
    const address = Buffer.alloc(2000, 'x')
    const token = Buffer.concat([Buffer.from([0xd0, 0x0f]), address, Buffer.from('02000174', 'hex')])
    for (let number = 0; number < 20_000; number++) wire.socket.send(token)
    await pause(1000)
    wire.socket._socket.resume()
    await waitFor('it is closed', () => wire.closed)
    assert.equal(wire.closed.code, 1013)
  })

  test('what comes before the token waits, within bounds', async t => {
    const [patient, flood] = [await Wire.open(t, server), await Wire.open(t, server)]
    const name = freshName()
    patient.send(name, EMPTY_STEP1)
    patient.send(name, `00 02 ${A}`)
    await pause(50)
    assert.deepEqual(patient.frames, [])
    await patient.enters(name)
    await patient.receives(name, STORED)
    for (let number = 0; number <= 1000; number++) flood.send(name, EMPTY_STEP1)
    await waitFor('it is closed', () => flood.closed)
    assert.equal(flood.closed.code, 4205)
  })

  test('who is let in nowhere in time is closed, and who is stays', async t => {
    const settings = join(await mkdtemp(join(tmpdir(), 'ydock-settings-')), 'ydock.toml')
    await writeFile(settings, '[connections]\nenter_within = "300ms"\n')
    const own = await start('--config', settings)
    const [silent, asking, inside] = await Promise.all([1, 2, 3].map(() => Wire.open(t, own)))
    asking.send('a document', EMPTY_STEP1)
    await inside.enters('a document')
    await waitFor('both are closed', () => silent.closed && asking.closed)
    assert.deepEqual([silent.closed.code, asking.closed.code], [4408, 4408])
    inside.send('a document', `00 02 ${A}`)
    await inside.receives('a document', STORED)
    assert.equal(inside.closed, undefined)
  })

  test('a frame without an address ends the connection', async t => {
    const wire = await Wire.open(t, server)
    wire.socket.send(Buffer.from([]))
    await waitFor('it is closed', () => wire.closed)
    assert.equal(wire.closed.code, 4400)
    // A client of y-websocket at this address.
    const other = await Wire.open(t, server)
    other.send('', EMPTY_STEP1.slice(3))
    await waitFor('it is closed', () => other.closed)
    assert.deepEqual(other.closed, { code: 4400, reason: 'a message names no document; y-websocket clients belong at /yjs/' })
  })
})
