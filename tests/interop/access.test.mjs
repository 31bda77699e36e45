// Who may do what, on every front with its real clients: let in, kept out, changed and taken back while they are there.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHmac, createSign, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { io } from 'socket.io-client'
import { WebSocket } from 'ws'
import { SocketIOProvider } from 'y-socket.io'
import * as Y from 'yjs'

import { versions as yWebSockets } from './clients.mjs'
import { binary, freshName, pause, Server, waitFor } from './harness.mjs'
import { versions as hocuspocus } from './hocuspocus.mjs'

const run = promisify(execFile)

// What each front's client has in common here: `text` to edit, `awareness`, whether it `isIn`, whether everything it did
// `isSaved` where it can tell, why it was `denied`, and how its connections were `closes`d.

class YWebSocketClient {
  constructor (t, { Y, Provider }, server, name, token) {
    this.doc = new Y.Doc()
    this.closes = []
    const params = token === undefined ? {} : { token }
    this.provider = new Provider(server.ws, name, this.doc, { WebSocketPolyfill: WebSocket, disableBc: true, maxBackoffTime: 200, params })
    this.provider.on('connection-close', event => { if (event) this.closes.push(event.code) })
    this.provider.on('connection-error', () => {})
    t.after(() => { this.provider.destroy(); this.awareness.destroy(); this.doc.destroy() })
  }

  get awareness () { return this.provider.awareness }
  get text () { return this.doc.getText('text') }
  get isIn () { return this.provider.synced && this.provider.wsconnected }
  get denied () { return this.closes.filter(code => code === 4401 || code === 4403).map(String) }
  renew (token) {
    const text = Buffer.from(token)
    const length = text.length < 128 ? [text.length] : [text.length & 127 | 128, text.length >> 7]
    this.provider.ws.send(Buffer.concat([Buffer.from([2, 0, ...length]), text]))
  }
}

class HocuspocusClient {
  constructor (t, { Provider, Socket }, server, name, token) {
    this.doc = new Y.Doc()
    this.closes = []
    this.denied = []
    this.token = token
    this.socket = new Socket({ url: `${server.ws}/hocuspocus`, WebSocketPolyfill: WebSocket, delay: 100, minDelay: 50, maxDelay: 200 })
    this.socket.on('close', ({ event }) => this.closes.push(event.code))
    this.provider = new Provider({
      websocketProvider: this.socket,
      name,
      document: this.doc,
      token: () => this.token ?? '',
      onAuthenticationFailed: ({ reason }) => this.denied.push(reason)
    })
    this.provider.attach?.()
    t.after(() => { this.provider.destroy(); this.socket.destroy() })
  }

  get awareness () { return this.provider.awareness }
  get text () { return this.doc.getText('text') }
  get isIn () { return (this.provider.synced || this.provider.isSynced) && this.provider.isAuthenticated }
  get isSaved () { return this.provider.unsyncedChanges === 0 }
  renew (token) {
    this.token = token
    return this.provider.sendToken?.() ?? this.provider.onOpen({})
  }
}

class YSocketIoClient {
  constructor (t, _, server, name, token) {
    this.doc = new Y.Doc()
    this.closes = []
    this.denied = []
    this.provider = new SocketIOProvider(server.ws, name, this.doc, { disableBc: true, auth: { token } }, { reconnectionDelay: 50, reconnectionDelayMax: 200 })
    this.provider.disconnectBc = () => {}
    this.socket.on('disconnect', reason => this.closes.push(reason))
    this.socket.on('exception', ({ message, code }) => { this.denied.push(message); if (code) this.closes.push(code) })
    this.socket.on('connect_error', error => this.denied.push(error.message))
    t.after(() => { this.provider.destroy(); this.socket.disconnect(); this.doc.destroy() })
  }

  get socket () { return this.provider.socket }
  get awareness () { return this.provider.awareness }
  get text () { return this.doc.getText('text') }
  get isIn () { return this.provider.synced && this.socket.connected }
  renew (token) { return this.socket.timeout(5000).emitWithAck('token', token) }
}

const fronts = [
  ...yWebSockets.map(version => ({ name: version.name, Client: YWebSocketClient, version })),
  ...hocuspocus.map(version => ({ name: version.name, Client: HocuspocusClient, version })),
  { name: 'y-socket.io', Client: YSocketIoClient }
]

const enter = (t, front, server, name, token) => new front.Client(t, front.version, server, name, token)

async function inside (t, front, server, name, token) {
  const client = enter(t, front, server, name, token)
  await waitFor(`${front.name} is in`, () => client.isIn)
  return client
}

const servers = []
/** A server that ends after all tests: Hocuspocus 2 never stops trying to reach one that went before its clients. */
async function start (...flags) {
  const started = await Server.start(...flags)
  servers.push(started)
  return started
}

let directory, key, server, admin
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ydock-access-'))
  key = join(directory, 'key')
  await writeFile(key, randomBytes(32).toString('base64') + '\n')
  const config = join(directory, 'tokens.toml')
  await writeFile(config, `[access]\nauth = "tokens"\nkey = ${JSON.stringify(key)}\nleeway = "0s"\n`)
  server = await start('--config', config)
  admin = await token('*', 'admin')
})
after(async () => {
  await Promise.all(servers.map(started => started.stop()))
  await rm(directory, { recursive: true, force: true })
})

/** A token as an operator makes one. */
async function token (docs, role, { ttl = '1h', user = 'ann' } = {}) {
  const { stdout } = await run(binary, ['token', '--auth-key', key, '--user', user, '--docs', docs, '--role', role, '--ttl', ttl])
  return stdout.trim()
}

const call = (server, token, path, body, method = body === undefined ? 'GET' : 'POST') => fetch(`${server.url}${path}`, {
  method,
  headers: { ...token && { authorization: `Bearer ${token}` }, ...body && { 'content-type': 'application/json' } },
  body: body && JSON.stringify(body),
  signal: AbortSignal.timeout(20_000)
})

async function order (path, body) {
  const response = await call(server, admin, path, body)
  assert.equal(response.status, 200, await response.clone().text())
  return response.json()
}

for (const front of fronts) {
  describe(front.name, () => {
    test('nobody comes in without a token, or with one that is not for the document', async t => {
      const name = freshName()
      const forged = (await token('*', 'admin')).replace(/.$/, letter => letter === 'A' ? 'B' : 'A').replace(/\..{10}/, '.AAAAAAAAAA')
      for (const wrong of [undefined, 'a token', forged, await token(`${name}-other`, 'admin')]) {
        const client = enter(t, front, server, name, wrong)
        client.text.insert(0, 'x')
        await waitFor('it is refused', () => client.denied.length > 0)
        assert.ok(!client.isIn)
      }
      assert.equal((await call(server, admin, `/api/docs/${name}`)).status, 404)
    })

    test('with a token it is in, and who may only view has presence and changes nothing', async t => {
      const name = freshName()
      const editor = await inside(t, front, server, name, await token(name, 'edit'))
      const viewer = await inside(t, front, server, name, await token(name, 'view'))
      editor.text.insert(0, 'hello')
      await waitFor('the viewer reads', () => viewer.text.toString() === 'hello')
      viewer.awareness.setLocalStateField('user', { name: 'viewer' })
      viewer.text.insert(0, 'not ')
      editor.text.insert(5, '!')
      await waitFor('the viewer reads on', () => viewer.text.toString() === 'not hello!')
      await waitFor('the viewer is seen', () => [...editor.awareness.getStates().values()].some(state => state.user?.name === 'viewer'))
      assert.equal(editor.text.toString(), 'hello!')
      if (viewer.isSaved !== undefined) assert.equal(viewer.isSaved, false, 'its edit stays unsynced')
    })

    test('who is revoked is out within a second, and does not come back with the old token', async t => {
      const name = freshName()
      const user = freshName()
      const own = await token(name, 'edit', { user })
      const client = await inside(t, front, server, name, own)
      const other = await inside(t, front, server, name, await token(name, 'edit', { user: 'bob' }))
      const { sessions } = await (await call(server, admin, `/api/sessions?user=${user}&document=${name}`)).json()
      assert.equal(sessions.length, 1)
      const started = performance.now()
      const { ended } = await order('/api/sessions/revoke', { session: sessions[0].session })
      assert.ok(ended >= 1)
      await waitFor('it is out', () => client.closes.includes(4401) || client.closes.some(code => code === 4401))
      assert.ok(performance.now() - started < 1000)
      await pause(700)
      assert.deepEqual((await (await call(server, admin, `/api/sessions?user=${user}`)).json()).sessions, [])
      const again = enter(t, front, server, name, own)
      await waitFor('it is refused', () => again.denied.length > 0)
      other.text.insert(0, 'x')
      await pause(100)
      assert.equal(again.text.toString(), '')
      assert.ok(other.isIn)
    })

    test('who is made a viewer edits no more, and its presence stays', async t => {
      const name = freshName()
      const user = freshName()
      const client = await inside(t, front, server, name, await token(name, 'edit', { user }))
      const other = await inside(t, front, server, name, await token(name, 'edit'))
      client.awareness.setLocalStateField('user', { name: user })
      client.text.insert(0, 'a')
      await waitFor('the edit arrives', () => other.text.toString() === 'a')
      const { changed } = await order('/api/sessions/revoke', { user, docs: name, role: 'view' })
      assert.equal(changed, 1)
      client.text.insert(1, 'b')
      other.text.insert(1, 'c')
      await waitFor('it reads on', () => client.text.toString().includes('c'))
      assert.equal(other.text.toString(), 'ac')
      client.awareness.setLocalStateField('cursor', 7)
      await waitFor('its presence stays', () => [...other.awareness.getStates().values()].some(state => state.user?.name === user && state.cursor === 7))
      assert.ok(client.isIn)
      if (client.isSaved !== undefined) assert.equal(client.isSaved, false)
      assert.deepEqual(await order('/api/sessions/restore', { user }), { restored: true })
      const { sessions } = await (await call(server, admin, `/api/sessions?user=${user}&document=${name}`)).json()
      assert.deepEqual(sessions.map(session => session.role), ['edit'], 'what was given back is there again')
    })

    test('who is kicked is back within three seconds', async t => {
      const name = freshName()
      const client = await inside(t, front, server, name, await token(name, 'edit'))
      const { ended } = await order('/api/sessions/kick', { document: name })
      assert.equal(ended, 1)
      await waitFor('it is out', () => client.closes.length > 0)
      await waitFor('it is back', () => client.isIn, 3000)
      client.text.insert(0, 'x')
      const other = await inside(t, front, server, name, await token(name, 'view'))
      await waitFor('its edits arrive', () => other.text.toString() === 'x')
    })

    test('a session ends with its token, unless a newer one came in time', async t => {
      const name = freshName()
      const brief = await token(name, 'edit', { ttl: '3s' })
      const one = await inside(t, front, server, name, brief)
      const other = await inside(t, front, server, name, brief)
      await other.renew(await token(name, 'edit'))
      await waitFor('one is out', () => one.closes.includes(4401), 6000)
      await pause(300)
      assert.ok(other.isIn, 'the other has a newer one')
      assert.deepEqual(other.closes, [])
    })
  })
}

/** A client of the built-in chat by JSON over WebSocket. */
function chat (t, server, token, options = {}) {
  const socket = new WebSocket(`${server.ws}/ws?namespace=/chat&username=ann&token=${token ?? ''}`, options)
  const events = []
  socket.on('message', data => events.push(JSON.parse(data)))
  socket.on('error', () => {})
  t.after(() => socket.terminate())
  const closed = new Promise(resolve => socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() })))
  return { socket, events, closed, send: (event, data, id) => socket.send(JSON.stringify({ event, data, id })) }
}

describe('gateways', () => {
  test('nobody comes in without a token', async t => {
    for (const wrong of [undefined, 'any']) {
      const { code } = await chat(t, server, wrong).closed
      assert.equal(code, 4401)
      const socket = io(`${server.url}/chat`, { auth: { username: 'ann', token: wrong }, transports: ['websocket'], forceNew: true, reconnection: false })
      t.after(() => socket.close())
      const error = await new Promise(resolve => { socket.on('connect_error', resolve); socket.on('connect', () => resolve(undefined)) })
      assert.ok(error, 'it is refused')
    }
  })

  test('a document is joined as far as the token goes', async t => {
    const name = freshName()
    const { events, send } = await opened(chat(t, server, await token(name, 'view')))
    send('joinRoom', `doc:${name}`)
    await waitFor('it is in', () => events.some(({ event }) => event === 'presence'))
    send('joinRoom', `doc:${name}-other`)
    const { data } = await waitFor('it is refused', () => events.find(({ event }) => event === 'unavailable'))
    assert.deepEqual(data, { room: `doc:${name}-other`, reason: 'this token is not for this document', retrying: false })
    send('typing', { room: `doc:${name}`, isTyping: true }, 1)
    const refusal = await waitFor('typing is refused', () => events.find(({ event, id }) => event === 'exception' || id === 1))
    assert.ok(JSON.stringify(refusal).includes('Forbidden'), JSON.stringify(refusal))
  })

  test('who may only read from now on is told so when it types, until it is given back', async t => {
    const [user, name] = [freshName(), freshName()]
    const client = await opened(chat(t, server, await token('*', 'edit', { user })))
    const other = await opened(chat(t, server, await token('*', 'edit')))
    for (const { send, events } of [client, other]) {
      send('joinRoom', `doc:${name}`)
      await waitFor('it is in', () => events.some(({ event }) => event === 'presence'))
    }
    let id = 1000
    const typing = async () => {
      const asked = ++id
      client.send('typing', { room: `doc:${name}`, isTyping: asked % 2 === 0 }, asked)
      const answer = await waitFor('typing is answered', () => client.events.find(said => said.id === asked || said.data?.cause?.id === asked))
      return JSON.stringify(answer).includes('Forbidden')
    }
    const heard = () => other.events.filter(({ event }) => event === 'typing').length
    assert.equal(await typing(), false)
    await order('/api/sessions/revoke', { user, role: 'view' })
    await waitFor('it is refused', typing, 1000)
    const before = heard()
    assert.equal(await typing(), true)
    await order('/api/sessions/restore', { user })
    await waitFor('it is taken again', async () => !await typing(), 1000)
    await typing()
    await waitFor('the other hears it', () => heard() > before)
  })

  test('who is revoked is sent away and stays out, and who is kicked may come back', async t => {
    const [user, name] = [freshName(), freshName()]
    const own = await token('*', 'edit', { user })
    const client = await opened(chat(t, server, own))
    client.send('joinRoom', `doc:${name}`)
    const socket = io(`${server.url}/chat`, { auth: { username: 'ann', token: own }, transports: ['websocket'], forceNew: true, reconnectionDelay: 50 })
    t.after(() => socket.close())
    let connects = 0
    socket.on('connect', () => connects++)
    await waitFor('it is in', () => connects === 1)
    const said = []
    socket.on('exception', exception => said.push(exception.code))
    await order('/api/sessions/kick', { user })
    assert.equal((await client.closed).code, 4205)
    await waitFor('it is back', () => connects === 2, 3000)
    const again = await opened(chat(t, server, own))
    const reason = new Promise(resolve => socket.on('disconnect', resolve))
    await order('/api/sessions/revoke', { user })
    assert.deepEqual(await again.closed, { code: 4401, reason: 'access was revoked' })
    assert.equal(await reason, 'io server disconnect')
    assert.deepEqual(said, [4205, 4401])
    assert.equal((await chat(t, server, own).closed).code, 4401)
    assert.equal(connects, 2)
  })
})

async function opened (client) {
  await once(client.socket, 'open')
  client.send('messageWithAck', 'x', 99)
  await waitFor('it is in', () => client.events.some(({ event, id }) => event === 'ack' && id === 99))
  return client
}

describe('HTTP', () => {
  const statuses = async (server, token, name) => {
    const address = `/api/docs/${name}`
    const update = Buffer.from([0, 0])
    const post = fetch(`${server.url}${address}/updates`, { method: 'POST', headers: token && { authorization: `Bearer ${token}` }, body: update })
    const asked = ['/api/docs', address, `${address}/snapshot`, '/metrics', '/api/sessions', '/api/revocations'].map(path => call(server, token, path))
    const rest = [post, call(server, token, '/api/tokens', { docs: '*', role: 'view' }), call(server, token, '/api/sessions/kick', { user: 'x' }),
      call(server, token, '/api/sessions/revoke', { user: freshName() }), call(server, token, address, undefined, 'DELETE')]
    return (await Promise.all([...asked, ...rest])).map(response => response.status)
  }

  test('nothing is told and nothing done without a token', async () => {
    for (const wrong of [undefined, 'wrong']) assert.deepEqual(await statuses(server, wrong, freshName()), Array(11).fill(401))
    for (const path of ['/healthz', '/readyz']) assert.equal((await call(server, undefined, path)).status, 200)
    const response = await call(server, undefined, '/api/docs')
    assert.equal(response.headers.get('www-authenticate'), 'Bearer')
    assert.equal((await response.json()).detail, 'a token is needed')
  })

  test('each role may what it may', async () => {
    const name = freshName()
    const letter = Y.encodeStateAsUpdate(Object.assign(new Y.Doc(), {}))
    assert.equal(letter.length, 2)
    const doc = new Y.Doc()
    doc.getText('text').insert(0, 'x')
    const post = async token => (await fetch(server.api(name, '/updates'), { method: 'POST', headers: { authorization: `Bearer ${token}` }, body: Y.encodeStateAsUpdate(doc) })).status
    const [view, edit, keeper, other] = await Promise.all([token(name, 'view'), token(name, 'edit'), token(name, 'admin'), token('other-*', 'admin')])
    assert.deepEqual([await post(other), await post(view), await post(edit)], [403, 403, 200])
    const get = async (token, path) => (await call(server, token, path)).status
    assert.deepEqual([await get(view, `/api/docs/${name}/snapshot`), await get(other, `/api/docs/${name}/snapshot`)], [200, 403])
    assert.deepEqual([await get(keeper, '/metrics'), await get(keeper, '/api/sessions'), await get(admin, '/metrics')], [403, 403, 200])
    const { documents } = await (await call(server, other, '/api/docs?limit=1000')).json()
    assert.deepEqual(documents, [], 'of others it does not know the names')
    const listed = await (await call(server, view, '/api/docs?limit=1000')).json()
    assert.deepEqual(listed.documents.map(document => document.name), [name])
    const del = async token => (await call(server, token, `/api/docs/${name}`, undefined, 'DELETE')).status
    assert.deepEqual([await del(edit), await del(keeper), await del(keeper)], [403, 204, 404])
  })

  test('a backend makes tokens for its users', async t => {
    const name = freshName()
    const { token: made, expires_in: expiresIn } = await order('/api/tokens', { user: 'bob', docs: [name], role: 'edit', ttl: '5m' })
    assert.equal(expiresIn, 300)
    await inside(t, fronts[0], server, name, made)
    const { sessions } = await (await call(server, admin, `/api/sessions?document=${name}`)).json()
    const [{ session, token: id, since, expires, ...rest }] = sessions
    assert.deepEqual(rest, { user: 'bob', document: name, role: 'edit', front: 'y-websocket', address: '127.0.0.1' })
    assert.match(id, /^[0-9a-f]{32}$/)
    assert.ok(Date.parse(expires) - Date.parse(since) < 301_000)
    for (const wrong of [{}, { docs: '*' }, { docs: '', role: 'view' }, { docs: '*', role: 'view', ttl: '0s' }, { docs: '*', role: 'view', extra: 1 }]) {
      assert.equal((await call(server, admin, '/api/tokens', wrong)).status, 400, JSON.stringify(wrong))
    }
  })

  test('what was taken back stays so after a restart, until it is given back', async () => {
    const own = await start('--auth', 'tokens', '--auth-key', key)
    const user = freshName()
    const [first, second] = [await token('*', 'edit', { user }), await token('*', 'admin', { user })]
    const status = async token => (await call(own, token, '/api/docs')).status
    const at = (path, body) => call(own, admin, path, body).then(response => response.json())
    assert.deepEqual([await status(first), await status(second)], [200, 200])
    const id = (await import('node:crypto')).createHash('sha256').update(first).digest('hex').slice(0, 32)
    await at('/api/sessions/revoke', { token: id })
    assert.deepEqual([await status(first), await status(second)], [401, 200])
    await at('/api/sessions/revoke', { user })
    assert.deepEqual([await status(first), await status(second)], [401, 401])
    await own.kill()
    await own.restart()
    assert.deepEqual([await status(first), await status(second)], [401, 401])
    assert.equal((await at('/api/revocations')).revocations.length, 2)
    assert.deepEqual(await at('/api/sessions/restore', { user }), { restored: true })
    assert.deepEqual([await status(first), await status(second)], [401, 200])
    await pause(1100)
    await at('/api/sessions/revoke', { user })
    await pause(1100)
    assert.equal(await status(await token('*', 'edit', { user })), 200, 'a newer token is another matter')
  })
})

test('a token may come in the query, a header, a cookie and a subprotocol', async t => {
  const name = freshName()
  const good = await token(name, 'edit')
  const code = (path, protocols, headers) => new Promise(resolve => {
    const socket = new WebSocket(`${server.ws}${path}`, protocols, { headers })
    t.after(() => socket.terminate())
    socket.on('message', () => resolve(socket.protocol || 'in'))
    socket.on('close', resolve)
    socket.on('error', () => {})
  })
  assert.equal(await code(`/yjs/${name}?token=${good}`), 'in')
  assert.equal(await code(`/yjs/${name}`, [], { authorization: `Bearer ${good}` }), 'in')
  assert.equal(await code(`/yjs/${name}`, [], { cookie: `ydock_token=${good}` }), 'in')
  assert.equal(await code(`/yjs/${name}`, ['yjs', `ydock.token.${good}`]), 'yjs')
  assert.equal(await code(`/yjs/${name}`, ['yjs']), 4401)
  const cookie = await fetch(server.api(name, '/snapshot'), { headers: { cookie: `ydock_token=${good}` } })
  assert.ok([200, 404].includes(cookie.status))
  assert.ok(!server.errors.includes(good), 'no token is logged')
})

describe('JSON Web Tokens of others', () => {
  const encode = value => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = extra => ({ sub: 'ann', exp: Math.floor(Date.now() / 1000) + 600, docs: { 'team/*': 'edit' }, ...extra })
  const jwt = (alg, key, extra, header = {}) => {
    const body = `${encode({ alg, typ: 'JWT', ...header })}.${encode(claims(extra))}`
    const signature = {
      HS256: () => createHmac('sha256', key).update(body).digest(),
      RS256: () => createSign('sha256').update(body).sign(key),
      ES256: () => sign('sha256', Buffer.from(body), { key, dsaEncoding: 'ieee-p1363' }),
      EdDSA: () => sign(null, Buffer.from(body), key)
    }[alg]()
    return `${body}.${signature.toString('base64url')}`
  }
  const status = async (server, token, name = 'team/plan') => (await call(server, token, `/api/docs/${encodeURIComponent(name)}`)).status
  const pairs = {
    RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    EdDSA: generateKeyPairSync('ed25519')
  }

  test('RS256, ES256 and EdDSA by a PEM file, HS256 by a secret', async () => {
    for (const [alg, { publicKey, privateKey }] of Object.entries(pairs)) {
      const file = join(directory, `${alg}.pem`)
      await writeFile(file, publicKey.export({ type: 'spki', format: 'pem' }))
      const own = await start('--auth', 'jwt', '--auth-key', file)
      assert.equal(await status(own, jwt(alg, privateKey)), 404, `${alg}: it may look, and there is none`)
      assert.equal(await status(own, jwt(alg, privateKey), 'other'), 403)
      assert.equal(await status(own, jwt(alg, privateKey, { exp: 1 })), 401)
      assert.equal(await status(own, jwt('HS256', publicKey.export({ type: 'spki', format: 'pem' }))), 401)
    }
    const secret = randomBytes(32).toString('hex')
    await writeFile(join(directory, 'secret'), secret)
    const own = await start('--auth', 'jwt', '--auth-key', join(directory, 'secret'))
    assert.equal(await status(own, jwt('HS256', secret)), 404)
    assert.equal(await status(own, jwt('HS256', `${secret}x`)), 401)
  })

  test('a set of keys, which is read again when it changes', async () => {
    const file = join(directory, 'jwks.json')
    const set = keys => JSON.stringify({ keys: keys.map(([kid, alg]) => ({ ...pairs[alg].publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' })) })
    await writeFile(file, set([['a', 'RS256'], ['b', 'ES256']]))
    const config = join(directory, 'jwks.toml')
    await writeFile(config, `[access]\nauth = "jwt"\nkey = ${JSON.stringify(file)}\nissuer = "us"\naudience = "ydock"\nlook_every = "100ms"\n`)
    const own = await start('--config', config)
    const made = (alg, kid) => jwt(alg, pairs[alg].privateKey, { iss: 'us', aud: 'ydock' }, { kid })
    assert.deepEqual([await status(own, made('RS256', 'a')), await status(own, made('ES256', 'b'))], [404, 404])
    assert.deepEqual([await status(own, made('RS256', 'b')), await status(own, made('EdDSA', 'c'))], [401, 401])
    assert.equal(await status(own, jwt('RS256', pairs.RS256.privateKey, { iss: 'us' }, { kid: 'a' })), 401, 'it is for nobody')
    await writeFile(`${file}.new`, set([['b', 'ES256'], ['c', 'EdDSA']]))
    await rename(`${file}.new`, file)
    await waitFor('the new key counts', async () => await status(own, made('EdDSA', 'c')) === 404)
    assert.deepEqual([await status(own, made('RS256', 'a')), await status(own, made('ES256', 'b'))], [401, 404])
    await writeFile(file, '{"keys":[]}')
    await waitFor('it is told', () => own.errors.includes('the keys read before stay'))
    assert.equal(await status(own, made('EdDSA', 'c')), 404)
  })
})

describe('the backend is asked', () => {
  let backend, own, questions, answer
  before(async () => {
    questions = []
    backend = createServer((request, response) => {
      let body = ''
      request.on('data', chunk => { body += chunk }).on('end', () => {
        questions.push({ ...JSON.parse(body), signature: request.headers['x-ydock-signature-256'], body })
        answer(JSON.parse(body), response)
      })
    })
    await new Promise(resolve => backend.listen(0, '127.0.0.1', resolve))
    const config = join(directory, 'webhook.toml')
    await writeFile(config, `[access]\nauth = "webhook"\nkey = ${JSON.stringify(key)}\n[access.webhook]\nurl = "http://127.0.0.1:${backend.address().port}/auth"\ntimeout = "500ms"\ncache = "300ms"\n`)
    own = await start('--config', config)
  })
  after(() => { backend.closeAllConnections(); backend.close() })

  for (const front of fronts) {
    test(`and decides for ${front.name}`, async t => {
      const name = freshName()
      answer = ({ token, document }, response) => {
        if (token !== 'good') return response.writeHead(401).end()
        if (document !== null && document !== name) return response.writeHead(403).end()
        response.end(JSON.stringify({ user: 'ann', role: 'edit' }))
      }
      const client = await inside(t, front, own, name, 'good')
      client.text.insert(0, 'x')
      await waitFor('it is saved', async () => (await call(own, 'good', `/api/docs/${name}`)).status === 200)
      const bad = enter(t, front, own, name, 'bad')
      await waitFor('it is refused', () => bad.denied.length > 0)
      const other = enter(t, front, own, `${name}-other`, 'good')
      await waitFor('it is refused', () => other.denied.length > 0)
    })
  }

  test('with a signature, and not again for a while', async () => {
    const name = freshName()
    answer = (_, response) => response.end(JSON.stringify({ user: 'ann', role: 'view' }))
    questions.length = 0
    for (let time = 0; time < 5; time++) assert.equal((await call(own, 'good', `/api/docs/${name}`)).status, 404)
    assert.equal(questions.length, 1)
    const [{ token, document, address, signature, body }] = questions
    assert.deepEqual({ token, document, address }, { token: 'good', document: name, address: '127.0.0.1' })
    const { readFile } = await import('node:fs/promises')
    const secret = (await readFile(key, 'utf8')).trim()
    assert.equal(signature, `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`)
    await pause(400)
    await call(own, 'good', `/api/docs/${name}`)
    assert.equal(questions.length, 2)
  })

  test('and what it does not say in time, or not as it should, is a no for now', async t => {
    for (const bad of [() => {}, (_, response) => response.writeHead(500).end(), (_, response) => response.end('yes'), (_, response) => response.end('{}')]) {
      answer = bad
      const response = await call(own, 'good', `/api/docs/${freshName()}`)
      assert.equal(response.status, 503, await response.text())
    }
    answer = (_, response) => response.destroy()
    const client = enter(t, fronts[0], own, freshName(), 'good')
    await waitFor('it may try again', () => client.closes.includes(4503))
    answer = (_, response) => response.end(JSON.stringify({ role: 'edit' }))
    await waitFor('it is in', () => client.isIn)
  })
})

test('with bound presence nobody shows the name of another', async t => {
  const config = join(directory, 'bound.toml')
  await writeFile(config, `[access]\nauth = "tokens"\nkey = ${JSON.stringify(key)}\nbind_presence = true\n`)
  const own = await start('--config', config)
  const name = freshName()
  const bob = await inside(t, fronts[0], own, name, await token(name, 'view', { user: 'bob' }))
  for (const front of fronts) {
    const ann = await inside(t, front, own, name, await token(name, 'edit', { user: 'ann' }))
    ann.awareness.setLocalState({ cursor: 7, user: { name: 'bob', color: '#f00', id: 1 } })
    const state = await waitFor('it is seen', () => bob.awareness.getStates().get(ann.doc.clientID))
    assert.deepEqual(state, { cursor: 7, user: { name: 'ann', color: '#f00', id: 'ann' } }, front.name)
  }
})

describe('origins', () => {
  const opens = (t, server, path, origin) => new Promise(resolve => {
    const socket = new WebSocket(`${server.ws}${path}`, { headers: origin ? { origin } : {} })
    t.after(() => socket.terminate())
    socket.on('open', () => resolve(101))
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode))
    socket.on('error', () => {})
  })
  const paths = ['/yjs/doc', '/doc', '/hocuspocus', '/']

  test('pages of others open nothing', async t => {
    const own = await start()
    for (const path of paths) {
      assert.equal(await opens(t, own, path, 'https://evil.example'), 403, path)
      assert.equal(await opens(t, own, path, 'null'), 403, path)
      assert.equal(await opens(t, own, path, own.url), 101, path)
      assert.equal(await opens(t, own, path, 'http://localhost:5173'), 101, path)
      assert.equal(await opens(t, own, path), 101, path)
    }
    const get = await fetch(`${own.url}/api/docs`, { headers: { origin: 'https://evil.example' } })
    assert.equal(get.status, 403)
    assert.equal(get.headers.get('access-control-allow-origin'), null)
  })

  test('listed ones do, and may use the API', async t => {
    const config = join(directory, 'origins.toml')
    await writeFile(config, '[access]\norigins = ["https://app.example.org"]\n')
    const own = await start('--config', config)
    for (const path of [...paths, '/socket.io/?EIO=4&transport=websocket']) {
      assert.equal(await opens(t, own, path, 'https://app.example.org'), 101, path)
      assert.equal(await opens(t, own, path, 'https://evil.example'), 403, path)
    }
    const preflight = await fetch(`${own.url}/api/docs/doc`, {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example.org', 'access-control-request-method': 'DELETE', 'access-control-request-headers': 'authorization' }
    })
    assert.equal(preflight.status, 200)
    assert.equal(preflight.headers.get('access-control-allow-origin'), 'https://app.example.org')
    assert.match(preflight.headers.get('access-control-allow-methods'), /DELETE/)
    const get = await fetch(`${own.url}/api/docs`, { headers: { origin: 'https://app.example.org' } })
    assert.equal(get.headers.get('access-control-allow-origin'), 'https://app.example.org')
  })
})
