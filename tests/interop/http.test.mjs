// The HTTP door to the same documents: exports, edits, deletion, health.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as Y from 'yjs'

import { Client, v2, v3 } from './clients.mjs'
import { freshName, Server, waitFor } from './harness.mjs'
import { Raw, fromHex } from './raw.mjs'
import { fill, shapes } from './sample-board.mjs'

let server
before(async () => { server = await Server.start() })
after(() => server.stop())

async function problem (response, ...statuses) {
  assert.ok(statuses.includes(response.status), `${response.status} ${await response.clone().text()}`)
  assert.match(response.headers.get('content-type'), /^application\/problem\+json/)
  const body = await response.json()
  assert.equal(typeof body.title, 'string')
  assert.equal(body.status, response.status)
}

function edit (change) {
  const doc = new Y.Doc()
  change(doc)
  return Y.encodeStateAsUpdate(doc)
}

function textOf (update) {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, update)
  return doc.getText('text').toString()
}

const sample = doc => {
  doc.getText('t').insert(0, 'text ü')
  doc.getMap('m').set('k', { nested: [1, 2.5, null, true, 'x'] })
  doc.getArray('a').insert(0, ['one', 2])
}

test('an update that is posted is there at once, for open members too', async t => {
  const name = freshName()
  const member = await Client.join(t, v3, server, name)
  const response = await server.post(name, edit(doc => doc.getText('text').insert(0, 'by post')))
  assert.ok(response.ok, `${response.status}`)
  await waitFor('the member has it', () => member.text.toString() === 'by post')
  assert.equal(textOf(await server.export(name, 'update')), 'by post')
})

test('a document that was only posted to is exported in every format', async () => {
  const name = freshName()
  const update = edit(sample)
  assert.ok((await server.post(name, update)).ok)
  const doc = new Y.Doc()
  Y.applyUpdate(doc, await server.export(name, 'update'))
  assert.deepEqual(doc.getMap('m').toJSON(), { k: { nested: [1, 2.5, null, true, 'x'] } })
  assert.deepEqual(Y.decodeStateVector(await server.export(name, 'state-vector')), Y.decodeStateVector(Y.encodeStateVector(doc)))
  assert.deepEqual(await server.export(name, 'json', '&types=t:text,m:map,a:array'), {
    t: 'text ü', m: { k: { nested: [1, 2.5, null, true, 'x'] } }, a: ['one', 2]
  })
  assert.equal(await server.export(name, 'text', '&types=t:text'), 'text ü')
})

test('a board is exported as a picture with a place for each shape that can be drawn', async () => {
  const name = freshName()
  assert.ok((await server.post(name, edit(fill))).ok)
  const svg = await server.export(name, 'svg')
  assert.match(svg, /^<svg [^>]*viewBox=/)
  const unknown = 1
  assert.equal(svg.match(/<g transform=/g).length, Object.keys(shapes).length - unknown)
})

test('an export has an ETag that changes with every edit, a deletion too', async () => {
  const name = freshName()
  const doc = new Y.Doc()
  doc.getText('t').insert(0, 'some text')
  assert.ok((await server.post(name, Y.encodeStateAsUpdate(doc))).ok)
  for (const format of ['update', 'state-vector', 'json', 'text', 'svg']) {
    const url = server.api(name, `/snapshot?format=${format}&types=t:text`)
    const first = await fetch(url)
    const etag = first.headers.get('etag')
    await first.arrayBuffer()
    assert.match(etag ?? '', /^(W\/)?"[^"]+"$/, format)
    const again = await fetch(url, { headers: { 'if-none-match': etag } })
    assert.equal(again.status, 304, format)
    assert.equal((await again.arrayBuffer()).byteLength, 0)
    assert.equal((await fetch(url, { headers: { 'if-none-match': '"other"' } })).status, 200, format)
  }
  const etag = (await fetch(server.api(name, '/snapshot?format=update'))).headers.get('etag')
  const before = Y.encodeStateVector(doc)
  doc.getText('t').delete(0, 5)
  assert.ok((await server.post(name, Y.encodeStateAsUpdate(doc, before))).ok)
  const changed = await fetch(server.api(name, '/snapshot?format=update'), { headers: { 'if-none-match': etag } })
  assert.equal(changed.status, 200)
  assert.notEqual(changed.headers.get('etag'), etag)
  await changed.arrayBuffer()
})

for (const [what, body] of Object.entries({
  nothing: '',
  garbage: 'ffffffffffff',
  'a truncated update': '01010700040101',
  'a billion structs': '8084af5f',
  'a struct without a parent': '01010700ff'
})) {
  test(`a post of ${what} is a problem and leaves no document`, async () => {
    const name = freshName('garbage')
    await problem(await server.post(name, fromHex(body)), 400, 422)
    await problem(await fetch(server.api(name)), 404)
  })
}

test('what is not known is 404, as a problem', async () => {
  const name = freshName('unknown')
  await problem(await fetch(server.api(name)), 404)
  for (const format of ['update', 'state-vector', 'json', 'text', 'svg']) await problem(await fetch(server.api(name, `/snapshot?format=${format}`)), 404)
  await problem(await fetch(server.api(name), { method: 'DELETE' }), 404)
  await problem(await fetch(`${server.url}/api/nothing`), 404)
})

test('what makes no sense is refused, as a problem', async () => {
  const name = freshName()
  assert.ok((await server.post(name, edit(sample))).ok)
  await problem(await fetch(server.api(name, '/snapshot?format=pdf')), 400, 404, 406, 422)
  await problem(await fetch(server.api(name, '/snapshot?format=json&types=nonsense')), 400, 422)
  await problem(await fetch(`${server.url}/api/docs`, { method: 'PATCH' }), 405)
})

test('a deletion closes the members, an old copy does not bring the document back, and a fresh client may start anew', async t => {
  const name = freshName('deleted')
  const member = await Client.join(t, v3, server, name)
  let ended
  member.provider.on('closed', event => { ended = event })
  member.text.insert(0, 'old')
  const raw = await Raw.join(t, `${server.ws}/${name}`)
  await waitFor('it is saved', async () => (await fetch(server.api(name))).ok)

  const response = await fetch(server.api(name), { method: 'DELETE' })
  assert.ok(response.ok, `${response.status}`)
  assert.equal((await raw.closes()).code, 4404)
  await waitFor('the client gave up', () => ended)
  assert.equal(ended.code, 4404)
  await problem(await fetch(server.api(name)), 404)
  await problem(await fetch(server.api(name, '/snapshot?format=update')), 404)

  // The old copy comes back, all by itself in older clients.
  member.closes.length = 0
  member.provider.connect()
  await waitFor('it is refused', () => member.closes.length > 0)
  assert.equal(member.closes[0].code, 4404)
  await problem(await fetch(server.api(name)), 404)

  const fresh = await Client.join(t, v3, server, name)
  assert.equal(fresh.text.toString(), '')
  fresh.text.insert(0, 'new')
  await waitFor('the new document is saved', async () => textOf(await server.export(name, 'update')) === 'new')

  member.closes.length = 0
  member.provider.connect()
  await waitFor('it is refused still', () => member.closes.length > 0)
  assert.equal(member.closes[0].code, 4404)
  assert.equal(fresh.text.toString(), 'new')
  assert.deepEqual(fresh.closes, [])
  assert.equal(textOf(await server.export(name, 'update')), 'new')
})

test('a client that never gives up does not bring a deleted document back either', async t => {
  const name = freshName('deleted')
  const stubborn = await Client.join(t, v2, server, name)
  stubborn.text.insert(0, 'old')
  await waitFor('it is saved', async () => (await fetch(server.api(name))).ok)
  assert.ok((await fetch(server.api(name), { method: 'DELETE' })).ok)
  await waitFor('it tried three times', () => stubborn.closes.length >= 3)
  assert.deepEqual([...new Set(stubborn.closes.map(({ code }) => code))], [4404])
  await problem(await fetch(server.api(name)), 404)
})

test('a deletion holds after a restart', async t => {
  const own = await Server.start()
  t.after(() => own.stop())
  const name = freshName('deleted')
  const member = await Client.join(t, v3, own, name)
  member.text.insert(0, 'old')
  await waitFor('it is saved', async () => (await fetch(own.api(name))).ok)
  assert.ok((await fetch(own.api(name), { method: 'DELETE' })).ok)
  await waitFor('the member is closed', () => member.closes.length > 0)
  await own.kill()
  await own.restart()
  member.closes.length = 0
  member.provider.connect()
  await waitFor('the old copy is refused', () => member.closes.some(({ code }) => code === 4404))
  assert.equal((await fetch(own.api(name))).status, 404)
})

test('health, readiness and metrics answer', async () => {
  for (const path of ['/healthz', '/readyz']) {
    const response = await fetch(server.url + path)
    assert.equal(response.status, 200, path)
    await response.text()
  }
  const metrics = await (await fetch(`${server.url}/metrics`)).text()
  assert.match(metrics, /^# HELP ydock_/m)
  assert.match(metrics, /^ydock_\w+(\{[^}]*\})? \d/m)
})

test('the list knows every document, once', async () => {
  const names = Array.from({ length: 30 }, () => freshName('listed'))
  for (const name of names) assert.ok((await server.post(name, edit(sample))).ok)
  const found = []
  for (let query = '?limit=7', pages = 0; query && pages < 500; pages++) {
    const { documents, next } = await (await fetch(`${server.url}/api/docs${query}`)).json()
    found.push(...documents.map(({ name }) => name))
    query = next && `?limit=7&after=${encodeURIComponent(next)}`
  }
  for (const name of names) assert.equal(found.filter(one => one === name).length, 1, name)
})
