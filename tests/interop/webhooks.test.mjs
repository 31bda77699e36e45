// What happens to documents, told to a backend: once, signed, and again until it is taken.

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { Client, v3 } from './clients.mjs'
import { freshName, pause, Server, waitFor } from './harness.mjs'

const secret = 'a secret of webhooks'
let directory, backend, events, answer

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ydock-webhooks-'))
  await writeFile(join(directory, 'key'), `${secret}\n`)
  backend = createServer((request, response) => {
    let body = ''
    request.on('data', chunk => { body += chunk }).on('end', () => {
      const event = { ...JSON.parse(body), header: request.headers['x-ydock-event'], signature: request.headers['x-ydock-signature-256'], body }
      const status = answer(event)
      if (status === 200) events.push(event)
      response.writeHead(status).end()
    })
  })
  await new Promise(resolve => backend.listen(0, '127.0.0.1', resolve))
})
after(async () => {
  backend.closeAllConnections()
  backend.close()
  await rm(directory, { recursive: true, force: true })
})

async function start (t, rest = '') {
  events = []
  answer = () => 200
  const config = join(directory, `${freshName()}.toml`)
  await writeFile(config, `[webhooks]\nurl = "http://127.0.0.1:${backend.address().port}/events"\nkey = ${JSON.stringify(join(directory, 'key'))}\ndebounce = "200ms"\nmax_debounce = "1s"\n${rest}\n[rooms]\nidle_after = "100ms"\n`)
  const server = await Server.start('--config', config)
  t.after(() => server.stop())
  return server
}

const names = document => events.filter(event => event.document === document).map(event => event.event)
const api = async (server, path, body) => {
  const response = await fetch(`${server.url}${path}`, body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  assert.equal(response.status, 200, await response.clone().text())
  return response.json()
}

test('a document is told of from its first edit to its end', async t => {
  const server = await start(t)
  const name = freshName()
  const client = await Client.join(t, v3, server, name)
  client.text.insert(0, 'a')
  await waitFor('it is saved', () => names(name).includes('document.saved'))
  client.text.insert(1, 'b')
  await waitFor('it is saved again', () => names(name).filter(event => event === 'document.saved').length === 2)
  client.end()
  await waitFor('it has left', () => names(name).includes('member.disconnected'))
  assert.equal((await fetch(server.api(name), { method: 'DELETE' })).status, 204)
  await waitFor('it is deleted', () => names(name).includes('document.deleted'))
  const inOrder = events.filter(event => event.document === name).sort((a, b) => a.id - b.id)
  assert.deepEqual(inOrder.map(event => event.event), [
    'member.connected', 'document.created', 'document.changed', 'document.saved', 'document.changed', 'document.saved', 'member.disconnected', 'document.deleted'
  ])
  assert.deepEqual(inOrder.map(event => event.updates), [undefined, 1, 1, 1, 2, 2, undefined, undefined])
  const [{ session, user, front, address }] = inOrder
  assert.deepEqual([typeof session, user, front, address], ['number', null, 'y-websocket', '127.0.0.1'])
  for (const event of inOrder) {
    assert.equal(event.header, event.event)
    assert.equal(event.signature, `sha256=${createHmac('sha256', secret).update(event.body).digest('hex')}`)
  }
})

test('while somebody types on, it is told now and then, and not with every edit', async t => {
  const server = await start(t, 'events = ["document.changed", "document.saved"]')
  const name = freshName()
  const client = await Client.join(t, v3, server, name)
  for (let letter = 0; letter < 60; letter++) {
    client.text.insert(0, 'x')
    await pause(40)
  }
  await waitFor('the last is saved', () => events.some(event => event.event === 'document.saved' && event.updates === 60))
  assert.ok(events.length >= 4 && events.length <= 12, `${events.length} events`)
  assert.ok(events.every(({ event }) => event === 'document.changed' || event === 'document.saved'))
})

test('what is not taken is tried again, also after a restart', async t => {
  const server = await start(t, 'events = ["document.created"]')
  const [name, other] = [freshName(), freshName()]
  let tries = 0
  answer = () => { tries++; return tries < 3 ? 500 : 200 }
  const client = await Client.join(t, v3, server, name)
  client.text.insert(0, 'a')
  await waitFor('it is taken', () => names(name).length === 1)
  assert.equal(tries, 3)
  answer = () => 503
  const second = await Client.join(t, v3, server, other)
  second.text.insert(0, 'b')
  await waitFor('it waits', async () => (await api(server, '/api/webhooks')).waiting === 1)
  await server.kill()
  answer = () => 200
  await server.restart()
  await waitFor('it is taken', () => names(other).length === 1)
  await waitFor('nothing waits', async () => (await api(server, '/api/webhooks')).waiting === 0)
})

test('what nobody takes is put aside, listed, and tried again when it is asked for', async t => {
  const server = await start(t, 'events = ["document.created"]\ngive_up_after = "0s"')
  const name = freshName()
  answer = () => 500
  const client = await Client.join(t, v3, server, name)
  client.text.insert(0, 'a')
  const [letter] = await waitFor('it is put aside', async () => {
    const { dead } = await api(server, '/api/webhooks')
    return dead.length > 0 && dead
  })
  assert.deepEqual([letter.event, letter.attempts, letter.error, letter.body.document], ['document.created', 1, 'it was answered with status 500', name])
  await server.kill()
  await server.restart()
  assert.equal((await api(server, '/api/webhooks')).dead.length, 1)
  answer = () => 200
  await api(server, '/api/webhooks/retry', { id: letter.id })
  await waitFor('it is taken', () => names(name).length === 1)
  assert.deepEqual(await api(server, '/api/webhooks'), { waiting: 0, dead: [] })

  answer = () => 410
  const other = await Client.join(t, v3, server, freshName())
  other.text.insert(0, 'b')
  await waitFor('it is put aside', async () => (await api(server, '/api/webhooks')).dead.length === 1)
  await api(server, '/api/webhooks/forget', {})
  await waitFor('it is forgotten', async () => (await api(server, '/api/webhooks')).dead.length === 0)
})

test('a server without webhooks says so', async t => {
  const server = await Server.start()
  t.after(() => server.stop())
  const response = await fetch(`${server.url}/api/webhooks`)
  assert.equal(response.status, 409)
  assert.match((await response.json()).detail, /webhooks\.url is not set/)
})
