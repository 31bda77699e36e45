// Presence and typing: everybody sees the others, nobody speaks for them, and whoever is gone is gone at once.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { Client, v2, v3, versions } from './clients.mjs'
import { freshName, pause, Server, waitFor } from './harness.mjs'
import { AWARENESS, Raw, TYPING, awareness, queryAwareness, typing } from './raw.mjs'

let server
before(async () => { server = await Server.start() })
after(() => server.stop())

const stateOf = (viewer, client) => viewer.awareness.getStates().get(client.id)
const sees = (viewer, client, name) => waitFor(`${name} is seen`, () => stateOf(viewer, client)?.name === name)
const isGone = (viewer, client, ms) => waitFor('it is gone', () => !viewer.awareness.getStates().has(client.id), ms)
const entriesOf = (raw, id) => raw.frames.filter(frame => frame.type === AWARENESS).flatMap(frame => frame.states).filter(({ client }) => client === id)

for (const version of versions) {
  describe(version.name, () => {
    test('others see a state come, change and go', async t => {
      const name = freshName()
      const [one, two] = await Promise.all([Client.join(t, version, server, name), Client.join(t, version, server, name)])
      one.awareness.setLocalState({ name: 'Ada', cursor: { at: 1 } })
      await sees(two, one, 'Ada')
      one.awareness.setLocalStateField('name', 'Ada Lovelace')
      await sees(two, one, 'Ada Lovelace')
      assert.deepEqual(stateOf(two, one).cursor, { at: 1 })
      one.awareness.setLocalState(null)
      await isGone(two, one)
      one.awareness.setLocalState({ name: 'Ada again' })
      await sees(two, one, 'Ada again')
    })

    test('who joins later sees who is there', async t => {
      const name = freshName()
      const one = await Client.join(t, version, server, name)
      one.awareness.setLocalState({ name: 'early' })
      const two = await Client.join(t, version, server, name)
      await sees(two, one, 'early')
    })

    test('who leaves is gone for the others', async t => {
      const name = freshName()
      const [one, two] = await Promise.all([Client.join(t, version, server, name), Client.join(t, version, server, name)])
      one.awareness.setLocalState({ name: 'leaver' })
      await sees(two, one, 'leaver')
      one.provider.disconnect()
      await isGone(two, one, 2_000)
    })

    test('whose network drops is gone for the others at once', async t => {
      const name = freshName()
      const [one, two, three] = await Promise.all([1, 2, 3].map(() => Client.join(t, version, server, name)))
      one.awareness.setLocalState({ name: 'unlucky' })
      await Promise.all([sees(two, one, 'unlucky'), sees(three, one, 'unlucky')])
      one.vanish()
      await Promise.all([isGone(two, one, 2_000), isGone(three, one, 2_000)])
    })

    // Not before it shows something new: with the clock that it had when it was removed, no Yjs client believes it.
    test('whose network drops and comes back is seen again as soon as it moves', async t => {
      const name = freshName()
      const [one, two] = await Promise.all([Client.join(t, version, server, name), Client.join(t, version, server, name)])
      one.awareness.setLocalState({ name: 'here' })
      await sees(two, one, 'here')
      one.cut()
      await isGone(two, one, 2_000)
      await one.synced()
      one.awareness.setLocalState({ name: 'back' })
      await sees(two, one, 'back')
    })
  })
}

test('a state is not sent back to the member that set it', async t => {
  const url = `${server.ws}/${freshName()}`
  const [one, two] = await Promise.all([Raw.join(t, url), Raw.join(t, url)])
  one.send(awareness([[71, 1, '{"name":"one"}']]))
  await waitFor('the other sees it', () => entriesOf(two, 71).length > 0)
  two.send(awareness([[72, 1, '{"name":"two"}']]))
  await waitFor('the first sees the other', () => entriesOf(one, 72).length > 0)
  await one.settled()
  assert.deepEqual(entriesOf(one, 71), [])
})

test('a state passes through as the same text', async t => {
  const url = `${server.ws}/${freshName()}`
  const [one, two] = await Promise.all([Raw.join(t, url), Raw.join(t, url)])
  const texts = []
  two.socket.on('message', data => texts.push(Buffer.from(data).toString('latin1')))
  const state = '{"big":12345678901234567890,  "float":1.0, "z":1,"a":"\\u0041"}'
  one.send(awareness([[73, 1, state]]))
  await waitFor('it comes', () => texts.some(text => text.includes(state)))
})

test('nobody changes or removes the state of another', async t => {
  const name = freshName()
  const owner = await Client.join(t, v3, server, name)
  const witness = await Client.join(t, v2, server, name)
  const thief = await Raw.join(t, `${server.ws}/${name}`)
  owner.awareness.setLocalState({ name: 'owner' })
  await sees(witness, owner, 'owner')

  const clock = owner.awareness.meta.get(owner.id).clock
  const seen = []
  witness.awareness.on('change', ({ updated, removed }) => {
    for (const id of [...updated, ...removed]) if (id === owner.id) seen.push(stateOf(witness, owner) ?? null)
  })
  thief.send(awareness([[owner.id, clock + 5, '{"name":"thief"}']]))
  thief.send(awareness([[owner.id, clock + 6, 'null']]))
  thief.send(awareness([[74, 1, '{"name":"thief himself"}']]))
  await waitFor('what the thief said later is there', () => witness.awareness.getStates().get(74))
  assert.equal(stateOf(witness, owner)?.name, 'owner')
  assert.deepEqual(seen, [])

  // The real owner is still heard.
  owner.awareness.setLocalState({ name: 'owner still' })
  await sees(witness, owner, 'owner still')
  thief.socket.terminate()
  await waitFor('the thief is gone', () => !witness.awareness.getStates().has(74))
  assert.equal(stateOf(witness, owner)?.name, 'owner still')
})

test('a member that asks who is there is told', async t => {
  const url = `${server.ws}/${freshName()}`
  const one = await Raw.join(t, url)
  one.send(awareness([[75, 1, '{"name":"here"}']]))
  await one.settled()
  const two = await Raw.join(t, url)
  await waitFor('told on opening', () => entriesOf(two, 75).length === 1)
  two.send(queryAwareness)
  await waitFor('told on asking', () => entriesOf(two, 75).length === 2)
  assert.deepEqual(entriesOf(two, 75).at(-1), { client: 75, clock: 1, state: { name: 'here' } })
})

test('of a burst of changes the last one counts', async t => {
  const name = freshName()
  const [one, two] = await Promise.all([Client.join(t, v3, server, name), Client.join(t, v3, server, name)])
  for (let position = 0; position <= 500; position++) one.awareness.setLocalState({ name: `at ${position}` })
  await sees(two, one, 'at 500')
})

test('typing reaches the members that asked, with its place, and not the sender', async t => {
  const url = `${server.ws}/${freshName('typing')}`
  const [typist, reader, plain] = await Promise.all([
    Raw.join(t, `${url}?typing=1`), Raw.join(t, `${url}?typing=1`), Raw.join(t, url)
  ])
  typist.send(awareness([[76, 1, '{}']]))
  await waitFor('the typist is known', () => entriesOf(reader, 76).length > 0)
  typist.send(typing(true, 'paragraph 7'))
  const entryOn = frame => frame.type === TYPING && frame.typing.some(entry => entry.client === 76 && entry.on && entry.place === 'paragraph 7')
  await reader.receives('typing on', entryOn)
  await pause(1_100)
  typist.send(typing(false, ''))
  await reader.receives('typing off', frame => frame.type === TYPING && frame.typing.some(entry => entry.client === 76 && !entry.on))
  await Promise.all([typist.settled(), plain.settled()])
  assert.deepEqual(typist.frames.filter(frame => frame.type === TYPING), [])
  assert.deepEqual(plain.frames.filter(frame => frame.type === TYPING), [])
})

test('typing fades when nothing refreshes it, and ends with the member', async t => {
  const url = `${server.ws}/${freshName('typing')}?typing=1`
  const [fading, leaving, reader] = await Promise.all([Raw.join(t, url), Raw.join(t, url), Raw.join(t, url)])
  fading.send(awareness([[77, 1, '{}']]))
  leaving.send(awareness([[78, 1, '{}']]))
  await waitFor('both are known', () => entriesOf(reader, 77).length > 0 && entriesOf(reader, 78).length > 0)
  fading.send(typing(true, ''))
  leaving.send(typing(true, ''))
  const on = id => frame => frame.type === TYPING && frame.typing.some(entry => entry.client === id && entry.on)
  const off = id => frame => frame.type === TYPING && frame.typing.some(entry => entry.client === id && !entry.on)
  await Promise.all([reader.receives('one types', on(77)), reader.receives('the other types', on(78))])
  leaving.socket.terminate()
  await reader.receives('it ends with the member', off(78), 3_000)
  await reader.receives('it fades', off(77), 9_000)
})
