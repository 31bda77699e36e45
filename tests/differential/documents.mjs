// Random documents: several clients that edit, go offline, come back, collect garbage or keep it.

import * as Y from 'yjs'

/** The top-level types, by name. */
export const roots = { text: 'Text', list: 'Array', map: 'Map', xml: 'Xml' }

export const view = (doc) => JSON.stringify({
  text: doc.getText('text').toDelta().map((part) => part.insert instanceof Y.AbstractType ? { ...part, insert: part.insert.toJSON() } : part),
  list: doc.getArray('list').toJSON(),
  map: doc.getMap('map').toJSON(),
  xml: doc.getXmlFragment('xml').toString()
}, (key, value) => {
  if (typeof value === 'bigint') return `${value}n`
  if (value instanceof Uint8Array) return [...value]
  if (value instanceof Y.Doc) return `doc ${value.guid}`
  // The order of keys is that in which values came, so it is no part of the document.
  if (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) return Object.fromEntries(Object.keys(value).sort().map((key) => [key, value[key]]))
  return value === undefined ? 'undefined' : value
})

/** As `view`, blind to whether somebody has split a surrogate pair: Yjs then shows U+FFFD twice, but only there. */
export const blurred = (doc) => view(doc).replace(/[\ud800-\udfff]/g, '\ufffd')

const words = ['a', 'bc', 'straße ', '😀', 'x😀y', '\n', 'long '.repeat(20), '日本']

const value = (random, deep = 0) => random.pick([
  () => random.below(1000) - 500,
  () => 1.5 * random.below(9),
  () => random.pick(words),
  () => null,
  () => undefined,
  () => true,
  () => 123n,
  () => new Uint8Array([1, 2, random.below(256)]),
  () => (deep > 3 ? 0 : [value(random, deep + 1), value(random, deep + 1)]),
  () => (deep > 3 ? 0 : { k: value(random, deep + 1) })
])()

/** A value as an item of an array, where Yjs takes some only inside of others. */
const item = (random) => {
  const any = value(random)
  return any === undefined || typeof any === 'bigint' ? [any] : any
}

const nested = (random) => random.pick([
  () => new Y.Text(random.pick(words)),
  () => new Y.Map([['n', 1]]),
  () => Y.Array.from([1, 2]),
  () => new Y.Doc()
])()

const editText = (random, text) => {
  const at = random.below(text.length + 1)
  const len = Math.min(text.length - at, random.below(6))
  random.pick([
    () => text.insert(at, random.pick(words)),
    () => text.insert(at, random.pick(words)),
    () => text.insert(text.length, random.pick(words)),
    () => text.insert(at, random.pick(words), { bold: true }),
    () => len && text.format(at, len, { bold: random.pick([true, null]), link: random.pick([{ href: 'x' }, null]) }),
    () => text.insertEmbed(at, { image: 'y' }),
    () => text.delete(at, len),
    () => text.delete(at, len)
  ])()
}

const editList = (random, list) => {
  const at = random.below(list.length + 1)
  random.pick([
    () => list.insert(at, [item(random), item(random)]),
    () => list.push([item(random)]),
    () => list.insert(at, [nested(random)]),
    () => at < list.length && list.delete(at, 1)
  ])()
  const inner = list.toArray().filter((item) => item instanceof Y.Text)
  if (inner.length && random.chance(40)) editText(random, random.pick(inner))
}

const editMap = (random, map) => {
  const key = random.pick(['a', 'b', 'c', 'constructor'])
  random.pick([
    () => map.set(key, item(random)),
    () => map.set(key, item(random)),
    () => map.set(key, undefined),
    () => map.set(key, nested(random)),
    () => map.delete(key)
  ])()
  for (const inner of map.values()) {
    if (inner instanceof Y.Map && random.chance(60)) inner.set(key, item(random))
  }
}

const editXml = (random, xml) => {
  const at = random.below(xml.length + 1)
  random.pick([
    () => xml.insert(at, [new Y.XmlElement(random.pick(['p', 'div']))]),
    () => xml.insert(at, [new Y.XmlText(random.pick(words))]),
    () => at < xml.length && xml.delete(at, 1)
  ])()
  for (const child of xml.toArray()) {
    if (child instanceof Y.XmlElement && random.chance(30)) child.setAttribute('id', String(random.below(9)))
    if (child instanceof Y.XmlElement && random.chance(20)) editXml(random, child)
    if (child instanceof Y.XmlText && random.chance(30)) child.insert(0, random.pick(words))
  }
}

export const edit = (random, doc) => doc.transact(() => {
  for (let n = random.below(3); n >= 0; n--) {
    random.pick([
      () => editText(random, doc.getText('text')),
      () => editText(random, doc.getText('text')),
      () => editList(random, doc.getArray('list')),
      () => editMap(random, doc.getMap('map')),
      () => editXml(random, doc.getXmlFragment('xml'))
    ])()
  }
})

/** The updates of one document in the order in which a server got them, with the documents of its clients. */
export const history = (random, steps) => {
  const log = []
  const clients = Array.from({ length: 2 + random.below(4) }, (_, n) => {
    const doc = new Y.Doc({ gc: random.chance(60) })
    doc.clientID = random.pick([n + 1, 1000 + n, 2 ** 32 + n, random.below(2 ** 31)])
    const client = { doc, seen: 0, waiting: [], online: true, undo: random.chance(30) }
    doc.on('update', (update, origin) => { if (origin !== 'server') client.waiting.push(update) })
    if (client.undo) client.undo = new Y.UndoManager([doc.getText('text'), doc.getMap('map'), doc.getArray('list')], { captureTimeout: 0 })
    return client
  })
  const sync = (client) => {
    while (client.seen < log.length) Y.applyUpdate(client.doc, log[client.seen++], 'server')
    // After an offline time a client sends one update, as its provider does; else one for each edit.
    if (client.waiting.length) {
      log.push(...(random.chance(30) ? [Y.mergeUpdates(client.waiting)] : client.waiting))
      client.waiting = []
    }
  }
  for (let step = 0; step < steps; step++) {
    const client = random.pick(clients)
    if (random.chance(10)) client.online = !client.online
    if (client.undo && random.chance(15)) random.pick([() => client.undo.undo(), () => client.undo.redo()])()
    else edit(random, client.doc)
    if (client.online) sync(client)
  }
  for (let round = 0; round < 2; round++) clients.forEach(sync)
  return { log, clients }
}
