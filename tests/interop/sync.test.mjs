// Documents converge: whatever client, whatever order, whatever was offline meanwhile.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import * as Y from 'yjs'

import { Client, converged, v2, v3, v4, versions } from './clients.mjs'
import { freshName, pause, seeded, Server, waitFor } from './harness.mjs'

let server
before(async () => { server = await Server.start() })
after(() => server.stop())

for (const version of versions) {
  describe(version.name, () => {
    test('two clients converge on text, map, array and XML', async t => {
      const name = freshName()
      const [one, two] = await Promise.all([Client.join(t, version, server, name), Client.join(t, version, server, name)])
      fill(one)
      await converged([one, two])
      two.text.insert(5, ', dear')
      two.map.delete('gone')
      two.array.delete(0, 1)
      two.xml.get(0).setAttribute('class', 'quiet')
      const content = await converged([one, two])
      assert.equal(content.text, 'hello, dear world')
      assert.deepEqual(content.map, { nested: { deep: [1, null, 'ü'] } })
      assert.deepEqual(content.array, [2, 'three'])
      assert.match(content.xml, /<p class="quiet">words<\/p>/)
    })

    test('three clients that type at once converge', async t => {
      const name = freshName()
      const clients = await Promise.all([1, 2, 3].map(() => Client.join(t, version, server, name)))
      for (let round = 0; round < 20; round++) {
        clients.forEach((client, who) => {
          client.text.insert(client.text.length, `${who}`)
          client.map.set(`key ${round % 3}`, who)
          client.array.push([who])
        })
        await pause(1)
      }
      const { text, array } = await converged(clients)
      assert.equal(text.length, 60)
      assert.equal(array.length, 60)
    })

    test('a late joiner receives everything', async t => {
      const name = freshName()
      const early = await Client.join(t, version, server, name)
      fill(early)
      early.text.delete(0, 6)
      await early.offline()
      const late = await Client.join(t, version, server, name)
      await converged([early, late])
      assert.equal(late.text.toString(), 'world')
    })

    test('edits made offline on both sides merge after the reconnect', async t => {
      const name = freshName()
      const [one, two] = await Promise.all([Client.join(t, version, server, name), Client.join(t, version, server, name)])
      fill(one)
      await converged([one, two])
      await Promise.all([one.offline(), two.offline()])
      one.text.insert(0, 'one says: ')
      one.array.delete(0, 1)
      two.text.insert(two.text.length, ', says two')
      two.map.set('two', true)
      await Promise.all([one.online(), two.online()])
      const content = await converged([one, two])
      assert.equal(content.text, 'one says: hello world, says two')
      assert.equal(content.map.two, true)
      assert.deepEqual(content.array, [2, 'three'])
    })

    test('a deletion made offline reaches the others, though it moves no state vector', async t => {
      const name = freshName()
      const [one, two] = await Promise.all([Client.join(t, version, server, name), Client.join(t, version, server, name)])
      fill(one)
      await converged([one, two])
      await one.offline()
      one.text.delete(0, 6)
      await one.online()
      await converged([one, two])
      assert.equal(two.text.toString(), 'world')
      const late = await Client.join(t, version, server, name)
      await converged([one, late])
    })

    test('an update of 5 MB arrives whole at the others and in the export', async t => {
      const name = freshName()
      const [one, two] = await Promise.all([Client.join(t, version, server, name), Client.join(t, version, server, name)])
      const large = 'five megabytes, '.repeat(5 * 1024 * 1024 / 16)
      one.text.insert(0, large)
      await waitFor('it arrives', () => two.text.length === large.length, 30_000)
      assert.equal(two.text.toString() === large, true)
      await waitFor('the export has it', async () => contentOf(await server.export(name, 'update')).text === large, 10_000)
      const late = await Client.join(t, version, server, name)
      assert.equal(late.text.toString() === large, true)
    })

    test('a client whose network was cut comes back by itself and has missed nothing', async t => {
      const name = freshName()
      const [one, two] = await Promise.all([Client.join(t, version, server, name), Client.join(t, version, server, name)])
      one.cut()
      one.text.insert(0, 'while down ')
      two.text.insert(0, 'while up ')
      await waitFor('both edits are there', () => one.text.length === 20 && two.text.length === 20)
      await converged([one, two])
    })
  })
}

test('clients of all versions share a document, on both paths', async t => {
  const name = freshName()
  const clients = await Promise.all([
    Client.join(t, v2, server, name),
    Client.join(t, v3, server, name, { base: `${server.ws}/yjs` }),
    Client.join(t, v4, server, name)
  ])
  clients.forEach((client, index) => client.text.insert(0, `${index}`))
  await waitFor('all edits are everywhere', () => clients.every(client => client.text.length === 3))
  await converged(clients)
})

for (const seed of [1, 2, 3]) {
  test(`eight clients with random edits and random cuts converge and equal the exports (seed ${seed})`, async t => {
    const random = seeded(seed)
    const name = freshName('random')
    const clients = await Promise.all(Array.from({ length: 8 }, (_, index) => Client.join(t, index % 2 ? v2 : v3, server, name)))
    for (let round = 0; round < 60; round++) {
      for (const client of clients) {
        if (random.chance(0.7)) edit(client, random)
        if (random.chance(0.03)) client.cut()
        if (random.chance(0.02)) {
          if (client.provider.shouldConnect) client.provider.disconnect()
          else client.provider.connect()
        }
      }
      await pause(2)
    }
    for (const client of clients) client.provider.connect()
    await waitFor('all are back', () => clients.every(client => client.provider.synced), 20_000)
    await converged(clients, 20_000)
    await pause(300)
    const content = await converged(clients)

    // What members have is accepted, what is exported is at least what is saved: give the last batch its moment.
    await waitFor('the exports equal the clients', async () => {
      assert.deepEqual(contentOf(await server.export(name, 'update')), content)
      const types = '&types=text:text,map:map,array:array,xml:xml'
      const json = await server.export(name, 'json', types)
      assert.deepEqual({ text: json.text, map: json.map, array: json.array }, { text: content.text, map: content.map, array: content.array })
      assert.equal(await server.export(name, 'text', '&types=text:text'), content.text)
      return true
    }, 10_000)

    const late = await Client.join(t, v3, server, name)
    await converged([clients[0], late])
  })
}

function fill (client) {
  const { Y } = client.version
  client.doc.transact(() => {
    client.text.insert(0, 'hello world')
    client.map.set('nested', { deep: [1, null, 'ü'] })
    client.map.set('gone', 1)
    client.array.insert(0, [1, 2, 'three'])
    const paragraph = new Y.XmlElement('p')
    client.xml.insert(0, [paragraph])
    paragraph.insert(0, [new Y.XmlText('words')])
  })
}

function edit ({ text, map, array }, random) {
  const at = random.below(text.length + 1)
  switch (random.below(7)) {
    case 0: case 1: return text.insert(at, ['a', 'ü', '日本', '🎉', 'word '][random.below(5)])
    case 2: return text.delete(at, Math.min(random.below(4), text.length - at))
    case 3: return map.set(`key ${random.below(6)}`, [random.below(1000), null, true, 'text', { nested: [1] }][random.below(5)])
    case 4: return map.delete(`key ${random.below(6)}`)
    case 5: return array.insert(random.below(array.length + 1), [random.below(1000), 'item'])
    case 6: return array.length > 0 && array.delete(random.below(array.length), 1)
  }
}

function contentOf (update) {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, update)
  return {
    text: doc.getText('text').toString(),
    map: doc.getMap('map').toJSON(),
    array: doc.getArray('array').toJSON(),
    xml: doc.getXmlFragment('xml').toString()
  }
}
