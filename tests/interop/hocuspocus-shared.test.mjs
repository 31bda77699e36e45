// Many documents, or many sessions of one, on a socket of Hocuspocus: they come and go without each other.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { freshName, pause, Server, waitFor } from './harness.mjs'
import { A, B, Editor, EMPTY_STEP1, READ_WRITE, socketOf, STORED, TOKEN, v2, v3, v4, versions, Wire } from './hocuspocus.mjs'

const servers = []
async function start (...flags) {
  const started = await Server.start(...flags)
  servers.push(started)
  return started
}

let server
before(async () => { server = await start() })
after(() => Promise.all(servers.map(started => started.stop())))

const textOf = name => server.export(name, 'text', '&types=text:text')
const stateIn = (viewer, of) => viewer.provider.awareness.getStates().get(of.doc.clientID)?.user
const sees = (viewer, of, user) => waitFor(`${user} is seen`, () => stateIn(viewer, of) === user)

for (const version of versions) {
  describe(version.name, () => {
    test('50 documents of a socket come back together after the network was away, with what was written meanwhile', async t => {
      const socket = socketOf(t, version, server)
      const names = Array.from({ length: 50 }, () => freshName('many'))
      const editors = names.map(name => new Editor(t, version, socket, name))
      await Promise.all(editors.map(editor => editor.settled()))
      editors.forEach((editor, number) => editor.text.insert(0, `document ${number}`))
      await Promise.all(editors.map(editor => editor.settled()))
      for (let round = 0; round < 2; round++) {
        let away = 0
        socket.on('disconnect', () => { away++ })
        socket.webSocket.close()
        await waitFor('it is away', () => away > 0)
        editors.forEach(editor => editor.text.insert(0, `${round} `))
        await waitFor('the server has it', async () => await textOf(names[49]) === editors[49].text.toString())
        await Promise.all(editors.map(editor => editor.settled()))
      }
      for (const number of [0, 24, 49]) assert.equal(await textOf(names[number]), `1 0 document ${number}`)
    })

    test('a document is left and entered again, and the others on the socket go on', async t => {
      const socket = socketOf(t, version, server)
      const [name, other] = [freshName('left'), freshName('stays')]
      const stays = new Editor(t, version, socket, other)
      let leaves = new Editor(t, version, socket, name)
      await Promise.all([stays.settled(), leaves.settled()])
      for (let round = 0; round < 5; round++) {
        leaves.text.insert(0, `${round} `)
        stays.text.insert(0, `${round} `)
        await Promise.all([stays.settled(), leaves.settled()])
        const { text } = leaves
        leaves.provider.destroy()
        stays.text.insert(0, 'meanwhile ')
        await stays.settled()
        leaves = new Editor(t, version, socket, name)
        await leaves.settled()
        assert.equal(leaves.text.toString(), text.toString())
      }
      assert.equal(await textOf(name), '4 3 2 1 0 ')
    })

    test('who may only read keeps what it wrote as unsynced, over a reconnect too, and its other documents stay', async t => {
      const own = await start('--everyone', 'view')
      const socket = socketOf(t, version, own)
      const [one, two] = [freshName(), freshName()].map(name => new Editor(t, version, socket, name))
      await Promise.all([one.settled(), two.settled()])
      one.text.insert(0, 'no')
      await pause(300)
      assert.ok(one.provider.unsyncedChanges > 0)
      let away = 0
      socket.on('disconnect', () => { away++ })
      socket.webSocket.close()
      await waitFor('it is away', () => away > 0)
      await waitFor('it is back', () => two.provider.unsyncedChanges === 0 && (two.provider.synced || two.provider.isSynced))
      await pause(500)
      assert.ok(one.provider.unsyncedChanges > 0, 'what was not taken counts as synced')
      assert.equal(two.provider.unsyncedChanges, 0)
      const response = await fetch(own.api(one.provider.configuration.name, '/snapshot?format=update'))
      await response.arrayBuffer()
      assert.equal(response.status, 404)
    })
  })
}

for (const version of [v3, v4]) {
  test(`a provider of ${version.name} renews its token and goes on`, async t => {
    const name = freshName('renewed')
    const tokens = []
    const socket = socketOf(t, version, server)
    const editor = new Editor(t, version, socket, name, { token: () => { tokens.push(tokens.length); return `token ${tokens.length}` } })
    const other = await Editor.join(t, v2, server, name)
    await editor.settled()
    let ends = 0
    socket.on('disconnect', () => { ends++ })
    for (let round = 0; round < 5; round++) {
      await editor.provider.sendToken()
      editor.text.insert(0, `${round} `)
      await editor.settled()
    }
    assert.equal(tokens.length, 6)
    await waitFor('the other has it', () => other.text.toString() === editor.text.toString())
    other.text.insert(0, 'back ')
    await waitFor('it comes back', () => editor.text.toString() === other.text.toString())
    assert.deepEqual([ends, editor.denied, editor.closes], [0, [], []])
  })
}

test('a token that is renewed puts nobody into the room twice', async t => {
  const [wire, other] = [await Wire.open(t, server), await Wire.open(t, server)]
  const name = freshName()
  await Promise.all([wire.enters(name), other.enters(name)])
  for (let round = 0; round < 5; round++) wire.send(name, TOKEN)
  wire.send(name, EMPTY_STEP1)
  await wire.receives(name, '00 01 02 0000')
  other.send(name, `00 02 ${A}`)
  await other.receives(name, STORED)
  await wire.receives(name, `00 02 ${A}`)
  await pause(300)
  assert.equal(wire.under(name).filter(frame => frame === `0002${A.replaceAll(' ', '')}`).length, 1)
  // Nor does the client have to synchronise again.
  assert.equal(wire.under(name).filter(frame => frame.startsWith('0000')).length, 1)
  const { members } = await (await fetch(server.api(name))).json()
  assert.equal(members, 2)
})

describe('sessions of version 4 on one socket', () => {
  test('have each a presence, and it goes with its session alone', async t => {
    const [name, socket] = [freshName('sessions'), socketOf(t, v4, server)]
    const outside = await Editor.join(t, v2, server, name)
    const [one, two] = [1, 2].map(() => new Editor(t, v4, socket, name, { sessionAwareness: true }))
    await Promise.all([one.settled(), two.settled()])
    one.provider.awareness.setLocalState({ user: 'Ada' })
    two.provider.awareness.setLocalState({ user: 'Bob' })
    outside.provider.awareness.setLocalState({ user: 'Eve' })
    await Promise.all([sees(two, one, 'Ada'), sees(one, two, 'Bob'), sees(outside, one, 'Ada'), sees(outside, two, 'Bob'), sees(one, outside, 'Eve')])
    one.provider.destroy()
    await Promise.all([two, outside].map(viewer => waitFor('Ada is gone', () => stateIn(viewer, one) === undefined)))
    assert.equal(stateIn(outside, two), 'Bob')
    two.text.insert(0, 'still here')
    await two.settled()
    await waitFor('it arrives', () => outside.text.toString() === 'still here')
  })

  test('come back each by itself after the network was away', async t => {
    const [name, socket] = [freshName('sessions'), socketOf(t, v4, server)]
    const sessions = Array.from({ length: 5 }, () => new Editor(t, v4, socket, name, { sessionAwareness: true }))
    await Promise.all(sessions.map(session => session.settled()))
    let away = 0
    socket.on('disconnect', () => { away++ })
    socket.webSocket.close()
    await waitFor('it is away', () => away > 0)
    sessions.forEach((session, number) => session.text.insert(0, `${number}`))
    await waitFor('all have all', () => sessions.every(session => session.text.toString().length === 5 && session.text.toString() === sessions[0].text.toString()))
    await Promise.all(sessions.map(session => session.settled()))
    assert.equal((await textOf(name)).length, 5)
  })

  test('are acknowledged and answered each under its own address', async t => {
    const wire = await Wire.open(t, server)
    const name = freshName()
    const [one, two] = [`${name}\0one`, `${name}\0two`]
    await Promise.all([wire.enters(one), wire.enters(two)])
    wire.send(one, `00 02 ${A}`)
    await wire.receives(one, STORED)
    await wire.receives(two, `00 02 ${A}`)
    assert.deepEqual([wire.under(two).includes(STORED), wire.under(one).includes(`0002${A.replaceAll(' ', '')}`)], [false, false])
    wire.send(one, '07')
    await waitFor('the one is closed', () => wire.under(one).some(frame => frame.startsWith('07')))
    wire.send(two, `00 02 ${B}`)
    await wire.receives(two, STORED)
    assert.equal(wire.under(name).length, 0)
    assert.equal(wire.under(one).filter(frame => frame === READ_WRITE.replaceAll(' ', '')).length, 1)
  })
})
