// Prints random Yjs documents, one JSON object a line: the updates that make them, and what Yjs says of their roots.
// Usage: node generate.mjs SEED COUNT
import * as Y from 'yjs'

let state = Number(process.argv[2]) >>> 0
const random = () => {
  state = (state + 0x6d2b79f5) >>> 0
  let t = state
  t = Math.imul(t ^ (t >>> 15), t | 1)
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}
const below = n => Math.floor(random() * n)
const pick = list => list[below(list.length)]

const WORDS = ['a', 'bc', 'ü', '日本', '😀', '<b>&"', 'line\nfeed', '', '\u2028', 'Z\u{1F600}y', '\u0001']
const NAMES = ['p', 'DIV', 'Ünit', 'h1', 'a-b']
const MARKS = ['bold', 'em', 'a', '\uffee', '😀']
const word = () => pick(WORDS) + pick(WORDS)

const plain = depth => {
  switch (below(depth > 2 ? 13 : 15)) {
    case 0: return below(1000) - 500
    case 1: return pick([2 ** 31, -(2 ** 31), 2 ** 40 + 1, 2 ** 53 - 1, -(2 ** 53) + 1])
    case 2: return random() * 10 ** below(20)
    case 3: return pick([1e21, 1.5e300, 5e-324, 1e-7, 0.1, 1 / 3, 123456789012345680000, Math.fround(0.1)])
    case 4: return pick([NaN, Infinity, -Infinity, -0])
    case 5: return null
    case 6: return undefined
    case 7: return random() < 0.5
    case 8: case 9: case 10: return word()
    case 11: return Uint8Array.from({ length: below(4) }, () => below(256))
    case 12: return BigInt.asIntN(64, BigInt(pick([1, 2 ** 52, 2 ** 60])) * BigInt(below(9) - 4))
    case 13: return Array.from({ length: below(4) }, () => plain(depth + 1))
    default: return Object.fromEntries(Array.from({ length: below(4) }, () => [word(), plain(depth + 1)]))
  }
}

const shared = depth => {
  switch (below(9)) {
    case 0: return new Y.Text(word())
    case 1: return new Y.Array()
    case 2: return new Y.Map()
    case 3: return new Y.XmlElement(pick(NAMES))
    case 4: return new Y.XmlText(word())
    case 5: return new Y.XmlFragment()
    case 6: return new Y.Doc()
    case 7: return new Y.XmlHook(word())
    default: return filled(depth)
  }
}

const filled = depth => {
  const map = new Y.Map()
  for (let i = 0; i < 3; i++) map.set(word(), depth > 3 ? plain(1) : value(depth + 1))
  return map
}

const value = depth => (random() < 0.4 && depth < 5 ? shared(depth) : plain(0))
const mark = () => pick([true, null, null, 'str😀', 7, { href: word(), B: below(9), b: null }, ['x', 1]])
// Yjs takes undefined and bigint in arrays only within other values.
const element = () => {
  const any = value(0)
  return any === undefined || typeof any === 'bigint' ? [any] : any
}
const marks = () => Object.fromEntries(Array.from({ length: 1 + below(2) }, () => [pick(MARKS), mark()]))

const editText = text => {
  const at = below(text.length + 1)
  switch (below(6)) {
    case 0: case 1: return text.insert(at, word())
    case 2: return text.insert(at, word() + 'x', marks())
    case 3: return text.format(at, below(text.length - at + 1), marks())
    case 4: return text.insertEmbed(at, random() < 0.5 ? { img: word() } : pick([new Y.Map(), new Y.Text(word()), new Y.Array()]))
    default: return text.delete(at, below(Math.min(4, text.length - at) + 1))
  }
}
const editArray = array => {
  const at = below(array.length + 1)
  if (random() < 0.7) return array.insert(at, Array.from({ length: 1 + below(3) }, element))
  array.delete(at, below(Math.min(3, array.length - at) + 1))
}
const editMap = map => {
  const key = random() < 0.5 ? pick(['x', 'y', 'z']) : word()
  random() < 0.8 ? map.set(key, value(0)) : map.delete(key)
}
const node = () => pick([() => new Y.XmlElement(pick(NAMES)), () => new Y.XmlText(word()), () => new Y.XmlHook(word())])()
const editFragment = fragment => {
  const at = below(fragment.length + 1)
  if (random() < 0.7) return fragment.insert(at, [node()])
  fragment.delete(at, below(Math.min(2, fragment.length - at) + 1))
}
const attribute = () => pick([word(), word(), 12.5, true, null, ['q', [1, null]], { o: 1 }])
const editElement = element =>
  random() < 0.5 ? element.setAttribute(pick(['id', 'Class', '\uffee', '😀']), attribute()) : editFragment(element)

// Goes down to some type and edits it.
const edit = type => {
  const children = []
  if (type instanceof Y.Map) type.forEach(child => children.push(child))
  else if (type instanceof Y.Array) type.forEach(child => children.push(child))
  else if (type instanceof Y.XmlFragment) children.push(...type.toArray())
  const deeper = children.filter(child => child instanceof Y.AbstractType)
  if (deeper.length > 0 && random() < 0.6) return edit(pick(deeper))
  if (type instanceof Y.Text) editText(type)
  else if (type instanceof Y.Array) editArray(type)
  else if (type instanceof Y.Map) editMap(type)
  else if (type instanceof Y.XmlElement) editElement(type)
  else editFragment(type)
}

const ROOTS = { t: ['Text', doc => doc.getText('t')], a: ['Array', doc => doc.getArray('a')], m: ['Map', doc => doc.getMap('m')], x: ['Xml', doc => doc.getXmlFragment('x')] }

// JSON has no bigint: the choice that the server makes. And UTF-8 has no half of a pair: updates carry U+FFFD there.
const portable = (_key, value) =>
  typeof value === 'string' ? value.toWellFormed()
    : typeof value !== 'bigint' ? value : value > -(2n ** 53n) && value < 2n ** 53n ? Number(value) : String(value)

const hex = bytes => Buffer.from(bytes).toString('hex')
const show = (updates, doc) => {
  const json = {}
  const text = []
  for (const [name, [kind, root]] of Object.entries(ROOTS)) {
    json[name] = root(doc).toJSON()
    if (kind === 'Text' || kind === 'Xml') text.push(root(doc).toString())
  }
  console.log(JSON.stringify({ updates, json: JSON.stringify(json, portable), text: text.join('\n').toWellFormed() }))
}

const randomDocument = () => {
  const updates = []
  const docs = Array.from({ length: 3 }, (_, index) => {
    const doc = new Y.Doc({ gc: random() < 0.8 })
    doc.clientID = 1 + index + below(1000) * 3
    return doc
  })
  const all = new Y.Doc()
  all.clientID = 5000
  for (const doc of docs) {
    doc.on('update', (update, origin) => {
      if (origin === 'sync') return
      updates.push(hex(update))
      Y.applyUpdate(all, update)
    })
  }
  for (let step = 0; step < 60; step++) {
    const doc = pick(docs)
    if (random() < 0.15) Y.applyUpdate(doc, Y.encodeStateAsUpdate(all, Y.encodeStateVector(doc)), 'sync')
    doc.transact(() => edit(pick(Object.values(ROOTS))[1](doc)))
  }
  show(updates, all)
}

// Blocks of kind 2, as Yjs wrote them before 2020.
const oldDocument = () => {
  const texts = ['1', '"😀"', 'undefined', '{"k":[1.5,null,true]}', '-7', 'null']
  const string = text => [Buffer.byteLength(text), ...Buffer.from(text)]
  const update = Uint8Array.from([1, 2, 5, 0, 2, 1, 1, 97, texts.length, ...texts.flatMap(string), 0x22, 1, 1, 109, 1, 107, 1, ...string('[2]'), 0])
  const doc = new Y.Doc()
  Y.applyUpdate(doc, update)
  show([hex(update)], doc)
}

const count = Number(process.argv[3])
oldDocument()
for (let index = 0; index < count; index++) randomDocument()
