// Long histories of documents that stay small: what merging, collecting and Yjs itself make of them. Started by
// tests/differential.rs as generate.mjs is. EDITS in the environment (default 4000) says how long they are.

import * as Y from 'yjs'
import { ask, bytes, finish, hexes } from './questions.mjs'
import { Random } from './random.mjs'

/** A few clients on one document, each of which hears at once what the others do. */
const together = (count, prepare = () => {}) => {
  const log = []
  const docs = Array.from({ length: count }, (_, n) => {
    const doc = new Y.Doc()
    doc.clientID = 1_000_000_007 * (n + 1)
    doc.on('update', (update, origin) => {
      if (origin === 'others') return
      log.push(update)
      docs.forEach((other) => other !== doc && Y.applyUpdate(other, update, 'others'))
    })
    return doc
  })
  prepare(docs[0])
  return { log, docs }
}

/** Prose: bursts of keys at a cursor that sometimes jumps, typing errors taken back, passages cut out. */
const prose = (random, edits) => {
  const { log, docs } = together(4)
  const cursors = docs.map(() => 0)
  while (log.length < edits) {
    const who = random.below(docs.length)
    const text = docs[who].getText('text')
    let at = random.chance(70) ? Math.min(cursors[who], text.length) : random.below(text.length + 1)
    for (let keys = 5 + random.below(40); keys > 0; keys--) {
      if (at > 0 && random.chance(12)) text.delete(--at, 1)
      else text.insert(at++, random.pick([...'etaoin shrdlu']))
    }
    if (text.length > edits / 20 && random.chance(60)) {
      const from = random.below(text.length - 100)
      text.delete(from, 20 + random.below(80))
      at = from
    }
    cursors[who] = at
  }
  return { log, doc: docs[0] }
}

/** A whiteboard: shapes with a dozen keys each, pushed about and deleted. */
const whiteboard = (random, edits) => {
  const { log, docs } = together(3)
  for (let n = 0; log.length < edits; n++) {
    const doc = random.pick(docs)
    const shapes = doc.getMap('board')
    const names = [...shapes.keys()]
    if (names.length < 20 || random.chance(4)) {
      const shape = { type: 'rect', x: 1, y: 2, width: 30, height: 40, stroke: '#123456', fill: 'none', opacity: 1, angle: 0, z: n, author: 'ada', locked: false }
      shapes.set(`shape-${n}`, new Y.Map(Object.entries(shape)))
    } else if (names.length > 60 || random.chance(3)) shapes.delete(random.pick(names))
    else {
      const shape = shapes.get(random.pick(names))
      doc.transact(() => { shape.set('x', random.below(2000)); shape.set('y', random.below(2000)) })
    }
  }
  return { log, doc: docs[0] }
}

/** Rich text: paragraphs are written and deleted as a whole. */
const paragraphs = (random, edits) => {
  const { log, docs } = together(3)
  while (log.length < edits) {
    const body = random.pick(docs).getXmlFragment('body')
    if (body.length < 30 || random.chance(50)) {
      const [paragraph, text] = [new Y.XmlElement('paragraph'), new Y.XmlText()]
      body.insert(random.below(body.length + 1), [paragraph])
      paragraph.insert(0, [text])
      for (let words = 0; words < 20; words++) text.insert(text.length, random.pick(['some ', 'words ', 'of ', 'text ']))
      if (text.length > 5) text.format(0, 5, { bold: true })
    } else body.delete(random.below(body.length), 1)
  }
  return { log, doc: docs[0] }
}

/** A few keys that are set again and again. */
const keys = (random, edits) => {
  const { log, docs } = together(3)
  while (log.length < edits) random.pick(docs).getMap('map').set(random.pick(['a', 'b', 'c']), `value ${random.below(1000)}`)
  return { log, doc: docs[0] }
}

const main = async () => {
  const edits = Number(process.env.EDITS ?? 4000)
  const summary = {}
  for (const [name, make] of Object.entries({ prose, whiteboard, paragraphs, keys })) {
    const { log } = make(new Random(7), edits)
    const { merged, update } = await ask('collect', { updates: hexes(log), message: 'as in yrs' })
    const doc = new Y.Doc()
    Y.applyUpdate(doc, bytes(merged))
    const sizes = { updates: log.reduce((sum, one) => sum + one.length, 0), merged: merged.length / 2, collected: update.length / 2, yjs: Y.encodeStateAsUpdate(doc).length }
    summary[name] = sizes
    if (sizes.collected > sizes.yjs * 1.02) throw new Error(`${name}: ${JSON.stringify(sizes)}`)
    if (sizes.collected * 2 > sizes.merged) throw new Error(`${name} hardly shrinks: ${JSON.stringify(sizes)}`)
  }
  return summary
}

finish(main())
