// Clients of a gateway in the topics of documents: they see who is there and who types, and are seen.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { io } from 'socket.io-client'

import { Client, v3 } from './clients.mjs'
import { Example } from './examples.mjs'
import { freshName, pause, waitFor } from './harness.mjs'
import { Raw, TYPING } from './raw.mjs'

let server
before(async () => { server = await Example.start('documents') })
after(() => server.stop())

/** A client of the gateway that remembers what it hears. */
class Guest {
  constructor (t, server, name) {
    this.heard = []
    this.socket = io(`${server.url}/documents`, { transports: ['websocket'], forceNew: true, auth: name ? { name } : {} })
    this.socket.onAny((event, value) => this.heard.push({ event, ...value }))
    t.after(() => this.socket.disconnect())
  }

  /** A client that has been told who is there. */
  static async join (t, server, doc, name) {
    const guest = new Guest(t, server, name)
    assert.equal(await guest.ask('join', { doc }), true)
    guest.first = await guest.hears('presence', event => event.users)
    return guest
  }

  ask (event, value) { return this.socket.timeout(10_000).emitWithAck(event, value) }

  hears (name, fits = () => true, ms) {
    return waitFor(`${name} is heard`, () => this.heard.find(({ event, ...value }) => event === name && fits(value)), ms)
      .catch(error => { throw new Error(`${error.message}: ${JSON.stringify(this.heard)}`) })
  }

  forget () { this.heard.length = 0 }
}

const guestsIn = editor => [...editor.awareness.getStates().values()].map(state => state.user?.name).filter(Boolean)
const membersOf = async doc => (await (await fetch(server.api(doc))).json()).members

test('editors and guests see each other come, change and go', async t => {
  const doc = freshName()
  const editor = await Client.join(t, v3, server, doc)
  editor.awareness.setLocalState({ user: { name: 'Eve', color: '#30bced' }, cursor: { line: 3 } })
  const guest = await Guest.join(t, server, doc, 'Ada')
  assert.equal(guest.first.room, `doc:${doc}`)
  // The editor's state may have come after the guest.
  const [eve] = guest.first.users.length ? guest.first.users : (await guest.hears('presence', event => event.joined)).joined
  assert.deepEqual(eve, { clientId: editor.id, name: 'Eve', color: '#30bced', state: { user: { name: 'Eve', color: '#30bced' }, cursor: { line: 3 } } })
  await waitFor('the editor sees the guest', () => guestsIn(editor).includes('Ada'))

  editor.awareness.setLocalStateField('cursor', { line: 4 })
  await guest.hears('presence', event => event.changed?.[0].state.cursor.line === 4)
  const late = await Guest.join(t, server, doc, 'Late')
  assert.deepEqual(late.first.users.map(user => user.name).sort(), ['Ada', 'Eve'])
  await guest.hears('presence', event => event.joined?.[0].name === 'Late')

  editor.vanish()
  await Promise.all([guest, late].map(one => one.hears('presence', event => event.left?.includes(editor.id), 3_000)))
})

test('a guest that leaves the topic, disconnects or whose network drops is gone for editors at once', async t => {
  const doc = freshName()
  const editor = await Client.join(t, v3, server, doc)
  const [leaver, quitter, unlucky] = [await Guest.join(t, server, doc, 'leaver'), await Guest.join(t, server, doc, 'quitter'), await Guest.join(t, server, doc, 'unlucky')]
  await waitFor('all are seen', () => guestsIn(editor).length === 3)
  await leaver.ask('leave', { doc })
  await waitFor('the leaver is gone', () => !guestsIn(editor).includes('leaver'), 2_000)
  quitter.socket.disconnect()
  await waitFor('the quitter is gone', () => !guestsIn(editor).includes('quitter'), 2_000)
  unlucky.socket.io.reconnection(false)
  unlucky.socket.io.engine.transport.ws.terminate()
  await waitFor('the unlucky one is gone', () => guestsIn(editor).length === 0, 2_000)
})

test('typing in an editor shows to guests by name, and its edits show as typing too', async t => {
  const doc = freshName()
  const editor = await Client.join(t, v3, server, doc)
  editor.awareness.setLocalState({ user: { name: 'Eve' } })
  const guests = [await Guest.join(t, server, doc, 'Ada'), await Guest.join(t, server, doc)]
  editor.text.insert(0, 'a')
  for (const guest of guests) {
    const note = await guest.hears('typing', event => event.isTyping)
    assert.deepEqual(note, { event: 'typing', room: `doc:${doc}`, user: 'Eve', isTyping: true, place: '', clientId: editor.id })
    await guest.hears('saved', event => event.room === `doc:${doc}`)
  }
  await guests[0].hears('typing', event => !event.isTyping && event.user === 'Eve', 9_000)
})

test('typing of a guest shows to editors as message 101 and to the other guests, and not to itself', async t => {
  const doc = freshName()
  const editor = await Raw.join(t, `${server.ws}/${doc}?typing=1`)
  const [one, two] = [await Guest.join(t, server, doc, 'Ada'), await Guest.join(t, server, doc)]
  const { joined: [{ clientId }] } = await one.hears('presence', event => event.joined)
  await one.ask('typing', { doc, isTyping: true, place: 'title' })
  const note = await two.hears('typing', event => event.isTyping)
  assert.deepEqual({ ...note, clientId: 0 }, { event: 'typing', room: `doc:${doc}`, user: 'Ada', isTyping: true, place: 'title', clientId: 0 })
  await editor.receives('typing on', frame => frame.type === TYPING && frame.typing.some(entry => entry.client === note.clientId && entry.on && entry.place === 'title'))
  await two.ask('typing', { doc, isTyping: true })
  assert.equal((await one.hears('typing')).user, 'Someone')
  await pause(1_100)
  await one.ask('typing', { doc, isTyping: false })
  await editor.receives('typing off', frame => frame.type === TYPING && frame.typing.some(entry => entry.client === note.clientId && !entry.on))
  two.socket.disconnect()
  await one.hears('typing', event => !event.isTyping && event.clientId === clientId, 2_000)
  assert.ok([one, two].every(guest => guest.heard.filter(({ event }) => event === 'typing').every(({ user }) => user !== (guest === one ? 'Ada' : 'Someone'))))
})

test('a guest types only where it is', async t => {
  const guest = new Guest(t, server)
  guest.socket.emit('typing', { doc: freshName(), isTyping: true })
  assert.equal((await guest.hears('exception')).message, 'Join the document first')
})

test('a guest makes no edits and gets none', async t => {
  const doc = freshName()
  const editor = await Client.join(t, v3, server, doc)
  const guest = await Guest.join(t, server, doc)
  guest.forget()
  for (let index = 0; index < 50; index++) editor.text.insert(0, 'x')
  await guest.hears('saved')
  assert.deepEqual(guest.heard.map(({ event }) => event).filter(event => !['saved', 'typing', 'presence'].includes(event)), [])
})

test('saved is said at most once a second', async t => {
  const doc = freshName()
  const editor = await Client.join(t, v3, server, doc)
  const guest = await Guest.join(t, server, doc)
  const started = performance.now()
  while (performance.now() - started < 2_500) {
    editor.text.insert(0, 'x')
    await pause(20)
  }
  const saved = guest.heard.filter(({ event }) => event === 'saved').length
  assert.ok(saved >= 2 && saved <= 4, `${saved}`)
})

test('a deleted document says so, and its guests are out of it until they join again', async t => {
  const doc = freshName()
  const editor = await Client.join(t, v3, server, doc)
  const guest = await Guest.join(t, server, doc, 'Ada')
  editor.text.insert(0, 'gone soon')
  await guest.hears('saved')
  assert.equal((await fetch(server.api(doc), { method: 'DELETE' })).status, 204)
  assert.equal((await guest.hears('deleted')).room, `doc:${doc}`)
  guest.socket.emit('typing', { doc, isTyping: true })
  await guest.hears('exception')
  guest.forget()
  assert.equal(await guest.ask('join', { doc }), true)
  assert.deepEqual((await guest.hears('presence')).users, [])
})

test('an impossible name is unavailable, with the reason', async t => {
  const guest = new Guest(t, server)
  assert.equal(await guest.ask('join', { doc: '' }), false)
  assert.deepEqual(await guest.hears('unavailable'), { event: 'unavailable', room: 'doc:', reason: 'the document name is empty', retrying: false })
})

test('guests count as members, and of those who have gone nothing is left', async t => {
  const doc = freshName()
  const editor = await Client.join(t, v3, server, doc)
  editor.text.insert(0, 'a')
  const guests = []
  for (let index = 0; index < 20; index++) guests.push(await Guest.join(t, server, doc, `guest ${index}`))
  await waitFor('all are counted', async () => await membersOf(doc) === 21)
  await waitFor('all are seen', () => guestsIn(editor).length === 20)
  for (const guest of guests) guest.socket.disconnect()
  await waitFor('all have gone', async () => await membersOf(doc) === 1)
  await waitFor('nobody is seen', () => guestsIn(editor).length === 0)
})

test('the chat of a document is in its room, and who edits and chats says so', async t => {
  const doc = freshName()
  const editor = await Client.join(t, v3, server, doc)
  editor.awareness.setLocalState({ user: { name: 'Eve' } })
  const raw = await Raw.join(t, `${server.ws}/${doc}?typing=1`)
  const chats = [{ username: 'Ada' }, { username: 'Eve', clientId: editor.id }].map(auth => {
    const chat = { heard: [], socket: io(`${server.url}/chat`, { transports: ['websocket'], forceNew: true, auth: { ...auth, token: 'any' } }) }
    chat.socket.onAny((event, value) => chat.heard.push({ event, ...value }))
    t.after(() => chat.socket.disconnect())
    chat.socket.emit('joinRoom', `doc:${doc}`)
    return chat
  })
  const [ada, eve] = chats
  const typing = isTyping => ({ room: `doc:${doc}`, isTyping })
  await waitFor('Ada is seen', () => guestsIn(editor).includes('Ada'))
  await waitFor('both hear who is there', () => chats.every(({ heard }) => heard.some(({ event, users }) => event === 'presence' && users)))
  ada.socket.emit('typing', typing(true))
  await raw.receives('typing on', frame => frame.type === TYPING && frame.typing.some(entry => entry.on))
  await waitFor('the other chat hears it', () => eve.heard.some(({ event, user }) => event === 'typing' && user === 'Ada'))
  eve.socket.emit('typing', typing(true))
  await waitFor('and the other way', () => ada.heard.some(({ event, user }) => event === 'typing' && user === 'Eve'))
  const beside = [...editor.awareness.getStates().values()].map(state => state.beside).filter(Boolean)
  assert.deepEqual(beside, [editor.id])
})

test('with view for everyone, guests are seen and do not type', async t => {
  const own = await Example.start('documents', { YDOCK_ACCESS__EVERYONE: 'view' })
  t.after(() => own.stop())
  const doc = freshName()
  const editor = await Client.join(t, v3, own, doc)
  const guest = await Guest.join(t, own, doc, 'Ada')
  await waitFor('it is seen', () => guestsIn(editor).includes('Ada'))
  guest.socket.emit('typing', { doc, isTyping: true })
  assert.equal((await guest.hears('exception')).message, 'Forbidden resource')
})
