// A board with every kind of shape, as Yjs writes it.
//
// `node sample-board.mjs > ../fixtures/board.update` makes the fixture anew; the picture beside it, board.svg, is what the
// server makes of it.

import { deflateSync } from 'node:zlib'
import { argv, stdout } from 'node:process'
import { fileURLToPath } from 'node:url'
import * as Y from 'yjs'

const text = value => new Y.Text(value)

function pen (count, point) {
  const numbers = []
  for (let step = 0; step < count; step++) numbers.push(...point(step / (count - 1)).map(Math.round))
  return Y.Array.from(numbers)
}

/** A wave that grows from light to full pressure. */
const wave = part => [part * 2200, Math.sin(part * 12) * 250, 10 + part * 90]
/** A loop drawn with a mouse, which has no pressure. */
const loop = part => [Math.cos(part * 11) * (300 + part * 500), Math.sin(part * 11) * (200 + part * 300), 50]
/** There and back in sharp corners. */
const zigzag = part => {
  const turn = part * 6
  const leg = turn % 2
  return [part * 1600, 700 * (leg < 1 ? leg : 2 - leg), 60]
}

function crc (bytes) {
  let sum = -1
  for (const byte of bytes) {
    sum ^= byte
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0)
  }
  return ~sum >>> 0
}

function chunk (kind, body) {
  const bytes = Buffer.alloc(body.length + 12)
  bytes.writeUInt32BE(body.length, 0)
  bytes.write(kind, 4, 'latin1')
  bytes.set(body, 8)
  bytes.writeUInt32BE(crc(bytes.subarray(4, -4)), body.length + 8)
  return bytes
}

/** A PNG of 8 by 8 pixels with two gradients. */
function png () {
  const head = Buffer.from([0, 0, 0, 8, 0, 0, 0, 8, 8, 2, 0, 0, 0])
  const rows = Array.from({ length: 8 }, (_, y) => [0, ...Array.from({ length: 8 }, (_, x) => [x * 32, y * 32, 128]).flat()])
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10])
  const data = deflateSync(Buffer.from(rows.flat()))
  return new Uint8Array(Buffer.concat([signature, chunk('IHDR', head), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]))
}

const lorem = 'Every room is one task. It owns the bytes, an index of what is in them, the members and their presence. '

export const shapes = {
  rectangle: { type: 'rectangle', position: [0, 0], size: [220, 120], colour: 'blue', fill: 'tint', text: text('A rectangle with a label that wraps'), order: 'a1' },
  solid: { type: 'rectangle', position: [260, 0], size: [180, 120], colour: 'green', fill: 'solid', text: text('solid'), order: 'a2' },
  ellipse: { type: 'ellipse', position: [480, 0], size: [240, 140], colour: 'red', stroke: 5, dash: 'dashed', text: text('An ellipse & <its> label'), order: 'a3' },
  turned: { type: 'rectangle', position: [770, 10], size: [160, 100], colour: 'purple', dash: 'dotted', rotation: 30, text: text('turned'), order: 'a4' },
  line: { type: 'line', position: [0, 180], size: [220, 40], colour: 'teal', stroke: 4, dash: 'dashed', order: 'a5' },
  arrow: { type: 'arrow', position: [260, 220], size: [180, -40], colour: 'orange', order: 'a6' },
  'thick arrow': { type: 'arrow', position: [700, 180], size: [-200, 30], colour: 'pink', stroke: 12, order: 'a7' },
  wave: { type: 'pen', position: [0, 310], points: pen(80, wave), colour: 'ink', stroke: 14, order: 'a8' },
  loop: { type: 'pen', position: [350, 320], points: pen(60, loop), colour: 'purple', order: 'a9' },
  zigzag: { type: 'pen', position: [480, 270], points: pen(61, zigzag), scale: [1, 1.2], colour: 'teal', stroke: 10, order: 'aA' },
  dot: { type: 'pen', position: [690, 310], points: Y.Array.from([0, 0, 50]), colour: 'red', stroke: 20, order: 'aB' },
  text: { type: 'text', position: [0, 380], text: text('Free text, broken only\nat its line feeds: "ÄÖÜ", 漢字, 🎉'), fontSize: 28, colour: 'grey', order: 'aC' },
  note: { type: 'note', position: [0, 480], colour: 'yellow', text: text('Ship it\n\non Friday'), order: 'aD' },
  'long note': { type: 'note', position: [220, 480], size: [220, 200], colour: 'pink', text: text(lorem.repeat(4)), order: 'aE' },
  'full note': { type: 'note', position: [460, 480], size: [200, 200], rotation: -8, colour: 'green', fontSize: 60, text: text('Large letters on a note'), order: 'aF' },
  image: { type: 'image', position: [700, 480], size: [160, 120], mediaType: 'image/png', bytes: png(), alt: 'two <gradients>', order: 'aG' },
  unknown: { type: 'spiral', position: [5000, 5000], order: 'aH' }
}

/** Puts the shapes on a document's board. */
export function fill (ydoc) {
  ydoc.transact(() => {
    for (const [id, fields] of Object.entries(shapes)) ydoc.getMap('board').set(id, new Y.Map(Object.entries(fields)))
  })
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const ydoc = new Y.Doc()
  ydoc.clientID = 1
  fill(ydoc)
  stdout.write(Y.encodeStateAsUpdate(ydoc))
}
