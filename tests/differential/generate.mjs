// Holds the server's merge, collect, diff, split and gate against Yjs. Started by tests/differential.rs.
//
// Environment: SEED (default 1) and CASES (default 20) choose the random documents.

import { readFileSync } from 'node:fs'
import * as Y from 'yjs'
import { ask, bytes, finish, hex, hexes } from './questions.mjs'
import { Random } from './random.mjs'
import { collection } from './collection.mjs'
import { blurred, edit, history, roots, view } from './documents.mjs'
import { hostile } from './hostile.mjs'

const put = (update) => ask('put', { update: hex(update) })
const load = (parts) => ask('load', { updates: hexes(parts) })

let context = ''
const check = (condition, message) => {
  if (!condition) throw new Error(`${context}: ${message}`)
}
const equal = (one, two, message) => {
  if (one === two) return
  // Show the place where they part.
  let at = 0
  while (at < one?.length && one[at] === two?.[at]) at++
  const part = (text) => String(text).slice(Math.max(0, at - 200), at + 200)
  check(false, `${message}\n  ${part(one)}\n  ${part(two)}`)
}

const apply = (updates, gc = true) => {
  const doc = new Y.Doc({ gc })
  updates.forEach((update) => Y.applyUpdate(doc, update))
  return doc
}
const state = (doc) => hex(Y.encodeStateVector(doc))
const deletes = (doc) => {
  const { ds } = Y.decodeUpdate(Y.encodeStateAsUpdate(doc))
  return JSON.stringify([...ds.clients].sort(([a], [b]) => a - b).map(([client, items]) => [client, items.map(({ clock, len }) => [clock, len])]))
}
const same = (one, two, what, look = blurred) => {
  equal(state(one), state(two), `${what}: state vectors differ`)
  equal(look(one), look(two), `${what}: contents differ`)
  equal(deletes(one), deletes(two), `${what}: deletions differ`)
  check(!one.store.pendingStructs && !one.store.pendingDs, `${what}: something is pending`)
}

const ordinary = async (random, steps) => {
  const { log, clients } = history(random, steps)
  const whole = apply(log)
  const unkept = apply(log, false)

  await ask('new')
  for (const [n, update] of log.entries()) {
    const first = await put(update)
    // Undoing nothing and formatting nothing send updates with nothing new.
    check(first.kind === 'complete' || first.kind === 'contained', `update ${n} is ${JSON.stringify(first)} ${hex(update)}`)
    equal((await put(update)).kind, 'contained', `update ${n} again`)
  }
  equal((await ask('state')).state, state(whole), 'the gate has another state vector')
  for (const { doc } of clients) {
    const again = await put(Y.encodeStateAsUpdate(doc))
    check(again.kind === 'complete' || again.kind === 'contained', `a whole document is ${JSON.stringify(again)}`)
    equal((await put(Y.encodeStateAsUpdate(doc))).kind, 'contained', 'a whole document again')
  }

  const merged = bytes((await ask('merge', { updates: hexes(log) })).update)
  same(apply([merged]), whole, 'merge', view)
  same(apply([merged], false), unkept, 'merge without collection', view)
  equal((await load([merged])).kind, 'loaded', 'loading the merged update')
  const mixed = random.shuffle([Y.encodeStateAsUpdate(random.pick(clients).doc), Y.encodeStateAsUpdate(whole), ...log])
  same(apply([bytes((await ask('merge', { updates: hexes(mixed) })).update)]), whole, 'merge of snapshots and updates in any order')
  const halves = [log.filter((_, n) => n % 3 === 0), log.filter((_, n) => n % 3 !== 0)]
  const parts = []
  for (const half of halves) parts.push((await ask('merge', { updates: hexes(half) })).update)
  same(apply([bytes((await ask('merge', { updates: parts })).update)]), whole, 'merge of merges with holes')
  equal((await ask('state_vector_of', { updates: parts })).state, state(whole), 'the state vector of updates')

  for (let n = 0; n < 4; n++) {
    const seen = random.below(log.length + 1)
    const behind = apply(log.slice(0, seen), random.chance(50))
    const sv = state(behind)
    const source = random.chance(50) ? [merged] : log
    const diff = bytes((await ask('diff', { updates: hexes(source), state: sv })).update)
    Y.applyUpdate(behind, diff)
    same(behind, whole, `diff for ${seen} of ${log.length} updates`)
    const [below, above] = (await ask('split', { update: hex(merged), state: sv })).parts.map(bytes)
    same(apply([below, above]), whole, 'split')
    const first = apply([below])
    equal(state(first), sv, 'the lower part of a split')
    same(apply([above, below]), whole, 'split, the upper part first')
    same(apply([bytes((await ask('merge', { updates: hexes([below, above]) })).update)]), whole, 'split and merged')
  }
  const kinds = (await ask('root_kinds', { updates: hexes(log) })).kinds
  for (const [name, kind] of Object.entries(kinds)) {
    if (unkept.get(name)._start || unkept.get(name)._map.size) equal(kind, roots[name], `the kind of the root ${name}`)
  }
  await shuffled(random, log, whole)
  const sizes = await collection(random, { log, clients }, { apply, ask, bytes, check, equal, hex, hexes, load, put, same, state })
  return { updates: log.length, sizes }
}

/** Updates in any order: what is early is parked, what is accepted may be relayed, and all comes in at last. */
const shuffled = async (random, log, whole) => {
  await ask('new')
  const peer = new Y.Doc()
  let parked = []
  const take = async (update) => {
    const { kind, accepted, rest, ...other } = await put(update)
    check(kind !== 'refused', `an honest update is refused: ${JSON.stringify(other)} ${hex(update)}`)
    if (kind === 'complete') Y.applyUpdate(peer, update)
    if (accepted) Y.applyUpdate(peer, bytes(accepted))
    if (rest) parked.push(rest)
    check(!peer.store.pendingStructs && !peer.store.pendingDs, 'what was accepted is pending in yjs')
    return kind === 'complete' || Boolean(accepted)
  }
  for (const update of random.shuffle(log)) {
    let moved = await take(update)
    while (moved && parked.length) {
      const merged = (await ask('merge', { updates: parked })).update
      parked = []
      moved = await take(bytes(merged))
    }
  }
  check(parked.length === 0, 'something stays parked')
  same(peer, whole, 'updates in any order')
}

/** Yjs applies everything that passes the gate, and so does whoever loads it merged. */
const attack = async (random, base, counts) => {
  await ask('new')
  const accepted = []
  const peers = [new Y.Doc(), new Y.Doc({ gc: false })]
  // As editors do: the roots have their types, and someone watches.
  for (const peer of peers) {
    peer.getText('text').observeDeep(() => {})
    peer.getArray('list').observeDeep(() => {})
    peer.getMap('map').observeDeep(() => {})
    peer.getXmlFragment('xml').observeDeep(() => {})
  }
  const relay = (update) => {
    accepted.push(update)
    for (const peer of peers) {
      try {
        Y.applyUpdate(peer, update)
      } catch (error) {
        throw new Error(`${context}: yjs throws ${error.stack}\n${hexes(accepted).join('\n')}`)
      }
      check(!peer.store.pendingStructs && !peer.store.pendingDs, `pending in yjs\n${hexes(accepted).join('\n')}`)
    }
  }
  if (base) {
    equal((await put(base)).kind, 'complete', 'the base document')
    relay(base)
  }
  for (let n = 0; n < 40; n++) {
    if (n === 20) {
      // Who comes now gets the collected document.
      const collected = bytes((await ask('collect', { updates: hexes(accepted) })).update)
      const loaded = await load([collected])
      equal(loaded.kind, 'loaded', `loading the collected update ${loaded.reason}\n${hexes(accepted).join('\n')}`)
      peers.push(apply([collected]), apply([collected], false))
    }
    const update = hostile(random, Y.decodeStateVector(Y.encodeStateVector(peers[0])))
    const answer = await put(update)
    counts[answer.kind] = (counts[answer.kind] ?? 0) + 1
    if (answer.kind === 'complete') relay(update)
    if (answer.accepted) relay(bytes(answer.accepted))
    equal((await ask('state')).state, state(peers[0]), `state vectors after\n${hexes(accepted).join('\n')}`)
    for (const peer of peers) equal(state(peer), state(peers[0]), 'state vectors with and without collection')
  }
  const merged = bytes((await ask('merge', { updates: hexes(accepted) })).update)
  const loaded = await load([merged])
  equal(loaded.kind, 'loaded', `loading ${loaded.reason}\n${hexes(accepted).join('\n')}`)
  equal(state(apply([merged])), state(peers[0]), 'the merged state vector')
  // Not its contents: where neighbours contradict each other, Yjs shows another order in each new reader.
  const collected = bytes((await ask('collect', { updates: hexes(accepted) })).update)
  for (const gc of [true, false]) equal(state(apply([collected], gc)), state(peers[0]), 'the collected state vector')
  equal((await load(accepted)).kind, 'loaded', 'loading all parts')
}

const fixture = async () => {
  const { base, cases } = JSON.parse(readFileSync(new URL('../fixtures/hostile-updates.json', import.meta.url)))
  const levels = {}
  for (const [n, { updates }] of cases.entries()) {
    context = `hostile case ${n}`
    await ask('new')
    const peer = new Y.Doc()
    for (const update of updates) {
      const given = bytes(update === 'BASE' ? base : update)
      const answer = await put(given)
      if (update === 'BASE') equal(answer.kind, 'complete', 'the base document')
      else {
        const name = answer.kind === 'refused' ? `refused at level ${answer.level}` : answer.kind
        levels[name] = (levels[name] ?? 0) + 1
      }
      if (answer.kind === 'complete') Y.applyUpdate(peer, given)
      if (answer.accepted) Y.applyUpdate(peer, bytes(answer.accepted))
    }
    equal((await ask('state')).state, state(peer), 'state vectors')
  }
  return levels
}

const long = async (random) => {
  context = 'a long history'
  const doc = new Y.Doc()
  const log = []
  doc.on('update', (update) => log.push(update))
  const text = doc.getText('text')
  for (let n = 0; n < 18000; n++) {
    if (random.chance(90)) text.insert(random.chance(97) ? text.length : random.below(text.length), random.pick(['a', ' ', 'e', '😀']))
    else if (text.length > 9) text.delete(text.length - 3, 2)
  }
  const typed = (await ask('merge', { updates: hexes(log) })).update.length / 2
  const typed_in_yjs = Y.encodeStateAsUpdate(doc).length
  for (let n = 0; n < 2000; n++) edit(random, doc)
  const start = performance.now()
  const merged = bytes((await ask('merge', { updates: hexes(log) })).update)
  const elapsed = performance.now() - start
  // Not `doc` itself: where it looked into a surrogate pair, it has split it without telling anyone.
  same(apply([merged]), apply(log), 'merge', view)
  equal((await load(log)).kind, 'loaded', 'loading')
  const yjs = Y.mergeUpdates(log).length
  return { typed_bytes: typed, typed_yjs_document_bytes: typed_in_yjs, updates: log.length, bytes: merged.length, yjs_merge_bytes: yjs, yjs_document_bytes: Y.encodeStateAsUpdate(doc).length, round_trip_ms: Math.round(elapsed) }
}

const main = async () => {
  const seed = Number(process.env.SEED ?? 1)
  const cases = Number(process.env.CASES ?? 20)
  const summary = { cases, updates: 0, bytes: {}, hostile: {} }
  const { base } = JSON.parse(readFileSync(new URL('../fixtures/hostile-updates.json', import.meta.url)))
  for (let n = 0; n < cases; n++) {
    context = `SEED=${seed} case ${n}`
    const { updates, sizes } = await ordinary(new Random(seed * 7919 + n * 104729), 5 + (n % 10) * 12)
    summary.updates += updates
    for (const [name, size] of Object.entries(sizes)) summary.bytes[name] = (summary.bytes[name] ?? 0) + size
    context = `SEED=${seed} attack ${n}`
    for (let m = 0; m < 5; m++) {
      await attack(new Random(seed * 1299709 + n * 15485863 + m * 32452843), n % 2 ? bytes(base) : null, summary.hostile)
    }
  }
  summary.fixture = await fixture()
  summary.long = await long(new Random(seed))
  check(Object.keys(summary.hostile).length === 4, 'the hostile updates do not come to every answer')
  return summary
}

finish(main())
