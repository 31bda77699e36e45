// A document's name is opaque: whatever it looks like, it is one document, never a path, never another's.

import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { after, before, test } from 'node:test'

import { Client, v2, v3, v4 } from './clients.mjs'
import { freshName, Server, waitFor } from './harness.mjs'
import { Raw, SYNC } from './raw.mjs'

let server
before(async () => { server = await Server.start() })
after(() => server.stop())

const odd = [
  'my room', ' leading and trailing ', 'ü', 'u\u0308', '日本語', '🎉', '👩‍👩‍👧', 'a/b/c', '/a', 'a/', 'a//b', 'a\\b', '../../etc/passwd',
  '..%2f..%2fetc%2fpasswd', 'a%2Fb', '%', '100%', '%zz', '%25', 'a+b', 'a?b', 'a#b', 'a&b=c', 'a:b', '"quoted"', "it's", '<b>', '*',
  'null', '__proto__', 'A', 'a', 'a.', 'a.json', 'CON', '-', '~', 'x'.repeat(1024), 'ü'.repeat(512)
]

test('odd names are documents of their own, for every client, in the exports and in the list', async t => {
  // A client's URL parser resolves plain dot segments before it connects.
  const encoded = name => name.includes('..') ? encodeURIComponent(name) : name.split('/').map(encodeURIComponent).join('/')
  const writers = await Promise.all(odd.map((name, index) => Client.join(t, [v2, v3, v4][index % 3], server, encodeURIComponent(name))))
  writers.forEach((writer, index) => writer.text.insert(0, `this is ${odd[index]}`))
  // Escaped slashes or plain ones, below /yjs or not: the same document.
  const readers = await Promise.all(odd.map(name => Client.join(t, v3, server, encoded(name), { base: `${server.ws}/yjs` })))
  for (const [index, name] of odd.entries()) {
    await waitFor(`${name} arrives`, () => readers[index].text.toString() === `this is ${name}`)
    await waitFor(`${name} is exported`, async () => await server.export(name, 'text', '&types=text:text') === `this is ${name}`)
  }
  const listed = await list()
  for (const name of odd) assert.ok(listed.includes(name), `${name} is not in the list`)
  assert.ok(!(await readdir(server.data)).some(file => file.includes('passwd')))
})

test('names that browsers escape themselves reach the same document', async t => {
  const one = await Client.join(t, v3, server, 'plain text ü/日本/🎉')
  one.text.insert(0, 'same')
  const two = await Client.join(t, v2, server, encodeURIComponent('plain text ü/日本/🎉'))
  await waitFor('it arrives', () => two.text.toString() === 'same')
})

test('the query is not part of the name', async t => {
  const name = freshName()
  const one = await Client.join(t, v3, server, name, { params: { anything: 'a b&c', ack: 'echo' } })
  one.text.insert(0, 'same')
  const two = await Client.join(t, v2, server, name)
  await waitFor('it arrives', () => two.text.toString() === 'same')
})

for (const [what, path] of Object.entries({
  'of 1025 bytes': 'x'.repeat(1025),
  'of 1026 bytes in 513 characters': encodeURIComponent('ü'.repeat(513)),
  'with a NUL': 'a%00b',
  'with a line feed': 'a%0ab',
  'that is not UTF-8': 'a%ffb'
})) {
  test(`a name ${what} is refused before the upgrade, and by the HTTP interface`, async t => {
    for (const prefix of ['/', '/yjs/']) {
      const raw = new Raw(t, `${server.ws}${prefix}${path}`)
      const status = await waitFor('an answer', () => raw.refused)
      assert.ok(status >= 400 && status < 500, `${prefix}: ${status}`)
    }
    const response = await fetch(`${server.url}/api/docs/${path}/snapshot?format=update`)
    assert.ok(response.status >= 400 && response.status < 500, `${response.status}`)
    assert.match(response.headers.get('content-type') ?? '', /problem\+json/)
    await response.text()
  })
}

test('the server’s own paths are no documents', async t => {
  for (const path of ['/healthz', '/metrics', '/api/docs', '/api/docs/x/snapshot']) {
    const raw = new Raw(t, `${server.ws}${path}`)
    await waitFor('an answer', () => raw.refused || raw.closed || raw.frames.length)
    assert.equal(raw.frames.some(frame => frame.type === SYNC), false, path)
  }
  assert.ok(!(await list()).includes('healthz'))
})

async function list () {
  const names = []
  for (let query = '', pages = 0; query !== undefined && pages < 50; pages++) {
    const { documents, next } = await (await fetch(`${server.url}/api/docs${query}`)).json()
    names.push(...documents.map(document => document.name))
    query = next ? `?after=${encodeURIComponent(next)}` : undefined
  }
  return names
}
