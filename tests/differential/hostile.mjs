// Random updates that are well-formed but of which most no honest client writes.

import * as encoding from 'lib0/encoding'

const clients = [1, 2, 3, 7]

const id = (random, e, clocks) => {
  const client = random.chance(85) ? random.pick(clients) : random.below(9)
  encoding.writeVarUint(e, client)
  encoding.writeVarUint(e, random.below((clocks.get(client) ?? 0) + (random.chance(10) ? 3 : 0)) || 0)
}

const content = {
  1: (random, e) => { const len = 1 + random.below(3); encoding.writeVarUint(e, len); return len },
  2: (random, e) => { encoding.writeVarUint(e, 2); encoding.writeVarString(e, '1'); encoding.writeVarString(e, 'undefined'); return 2 },
  3: (random, e) => { encoding.writeVarUint8Array(e, new Uint8Array([1])); return 1 },
  4: (random, e) => { const text = random.pick(['a', 'abc', '😀', 'x😀']); encoding.writeVarString(e, text); return text.length },
  5: (random, e) => { encoding.writeVarString(e, random.pick(['{}', 'null', '[1]'])); return 1 },
  6: (random, e) => { encoding.writeVarString(e, random.pick(['bold', 'i'])); encoding.writeVarString(e, random.pick(['true', 'null'])); return 1 },
  7: (random, e) => {
    const type = random.below(7)
    encoding.writeVarUint(e, type)
    if (type === 3 || type === 5) encoding.writeVarString(e, 'p')
    return 1
  },
  8: (random, e) => { const len = 1 + random.below(2); encoding.writeVarUint(e, len); for (let n = 0; n < len; n++) encoding.writeAny(e, n); return len },
  9: (random, e) => { encoding.writeVarString(e, 'guid'); encoding.writeAny(e, random.chance(50) ? {} : { autoLoad: true }); return 1 }
}

const block = (random, e, clocks) => {
  const kind = random.pick([0, 10, 1, 1, 2, 3, 4, 4, 4, 4, 5, 6, 6, 7, 7, 7, 8, 8, 9])
  if (kind === 0 || kind === 10) {
    const len = 1 + random.below(3)
    encoding.writeUint8(e, kind)
    encoding.writeVarUint(e, len)
    return len
  }
  const key = random.chance(25)
  const origins = random.pick([0, 0, 0x80, 0x80, 0x80, 0x40, 0xc0])
  encoding.writeUint8(e, kind | origins | (key ? 0x20 : 0))
  if (origins & 0x80) id(random, e, clocks)
  if (origins & 0x40) id(random, e, clocks)
  if (origins === 0) {
    if (random.chance(50)) {
      encoding.writeVarUint(e, 1)
      encoding.writeVarString(e, random.pick(['text', 'list', 'map', 'xml']))
    } else {
      encoding.writeVarUint(e, 0)
      id(random, e, clocks)
    }
    if (key) encoding.writeVarString(e, random.pick(['a', 'b']))
  }
  return content[kind](random, e)
}

/** An update for a document whose clients have these clocks. */
export const hostile = (random, clocks) => {
  const e = encoding.createEncoder()
  const named = random.shuffle(clients).slice(0, random.pick([0, 1, 1, 1, 2, 3]))
  encoding.writeVarUint(e, named.length)
  const inside = new Map(clocks)
  for (const client of named) {
    const count = 1 + random.below(4)
    const known = clocks.get(client) ?? 0
    let clock = Math.max(0, known + random.pick([0, 0, 0, 0, 0, -1, -2, -3, 1]))
    encoding.writeVarUint(e, count)
    encoding.writeVarUint(e, client)
    encoding.writeVarUint(e, clock)
    for (let n = 0; n < count; n++) {
      inside.set(client, Math.max(clock, known))
      clock += block(random, e, inside)
    }
    inside.set(client, Math.max(clock, known))
  }
  const deleting = random.chance(30) ? 1 + random.below(2) : 0
  encoding.writeVarUint(e, deleting)
  for (let n = 0; n < deleting; n++) {
    const client = random.pick(clients)
    encoding.writeVarUint(e, client)
    encoding.writeVarUint(e, 1)
    encoding.writeVarUint(e, random.below((inside.get(client) ?? 0) + 1))
    encoding.writeVarUint(e, random.pick([0, 1, 1, 2, 3]))
  }
  return encoding.toUint8Array(e)
}
