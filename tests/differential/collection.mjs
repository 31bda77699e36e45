// Collected documents: the same as those in which Yjs collects, and at peace with clients that kept everything.

import * as Y from 'yjs'
import { blurred, edit, view } from './documents.mjs'

/** What is left of each id, in runs: something (`live`), its place (`empty`) or nothing (`gone`). */
const remains = (update) => {
  const { structs, ds } = Y.decodeUpdate(update)
  const runs = []
  const add = (client, clock, length, what) => {
    const last = runs.at(-1)
    if (last?.client === client && last.what === what && last.end === clock) last.end += length
    else runs.push({ client, clock, end: clock + length, what })
  }
  for (const struct of structs) {
    const { id: { client, clock }, length } = struct
    if (struct.constructor === Y.GC) add(client, clock, length, 'gone')
    else if (struct.content.constructor === Y.ContentDeleted) add(client, clock, length, 'empty')
    else if (struct.content.constructor === Y.ContentString) {
      // Blanks that are deleted say no more than that something was there.
      const deleted = new Set()
      for (const range of ds.clients.get(client) ?? []) {
        for (let at = Math.max(clock, range.clock); at < Math.min(clock + length, range.clock + range.len); at++) deleted.add(at)
      }
      for (let at = clock; at < clock + length; at++) {
        add(client, at, 1, deleted.has(at) && struct.content.str[at - clock] === ' ' ? 'empty' : 'live')
      }
    } else add(client, clock, length, 'live')
  }
  return runs.map(({ client, clock, end, what }) => `${client}:${clock}-${end} ${what}`).join('\n')
}

/** Holds collect against Yjs. `tools` are the questions and checks of generate.mjs. */
export const collection = async (random, { log, clients }, tools) => {
  const { apply, ask, bytes, check, equal, hex, hexes, load, put, same, state } = tools
  const whole = apply(log)
  const answer = await ask('collect', { updates: hexes(log), message: 'as in yrs' })
  const [collected, merged] = [answer.update, answer.merged].map(bytes)
  same(apply([collected]), apply([merged]), 'collect', view)
  same(apply([collected]), whole, 'collect and one update after the other', view)
  same(apply([collected], false), apply([merged], false), 'collect for who keeps everything', view)
  equal((await load([collected])).kind, 'loaded', 'loading the collected update')
  equal((await ask('collect', { updates: [hex(collected)] })).update, hex(collected), 'collecting twice')

  // Id by id as in Yjs, once the server knows what Yjs deletes by itself: of values that came under one key at the same
  // time all but one. Clients tell it when they connect again.
  const yjs = Y.encodeStateAsUpdate(apply([merged]))
  const told = Y.diffUpdate(yjs, Y.encodeStateVectorFromUpdate(yjs))
  equal(remains(bytes((await ask('collect', { updates: hexes([merged, told]) })).update)), remains(yjs), 'what remains')
  await reunion(random, { log, clients, collected }, tools)
  return { merged: merged.length, collected: collected.length, yjs: yjs.length }
}

/**
 * The server has collected; clients that hold everything, that were away since some earlier moment, and that come new
 * have all edited alone. They meet, and are the same in the end.
 */
const reunion = async (random, { log, clients, collected }, tools) => {
  const { apply, ask, bytes, check, equal, hex, hexes, put, same } = tools
  const away = () => apply(log.slice(0, random.below(log.length + 1)), random.chance(50))
  const everyone = [
    ...clients.map(({ doc, undo }) => ({ doc, undo })),
    ...[away(), away(), away(), apply([collected]), apply([collected], false)].map((doc) => ({ doc }))
  ]
  for (const { doc, undo } of everyone) {
    for (let n = random.below(6); n > 0; n--) {
      if (undo && random.chance(50)) random.pick([() => undo.undo(), () => undo.redo()])()
      else edit(random, doc)
    }
  }
  const tail = []
  const server = () => [collected, ...tail]
  // A room may go on with the index of the whole document, or open the collected one.
  await ask('new')
  if (random.chance(50)) for (const update of log) await put(update)
  else equal((await put(collected)).kind, 'complete', 'the collected document')
  for (let round = 0; round < 4; round++) {
    for (const { doc } of random.shuffle(everyone)) {
      const known = bytes((await ask('state')).state)
      const update = Y.encodeStateAsUpdate(doc, known)
      const { kind, ...other } = await put(update)
      check(kind === 'complete' || kind === 'contained', `an honest update is ${kind} ${JSON.stringify(other)}\n${hex(update)}`)
      if (kind === 'complete') tail.push(update)
      Y.applyUpdate(doc, bytes((await ask('diff', { updates: hexes(server()), state: hex(Y.encodeStateVector(doc)) })).update))
    }
  }
  for (const { doc } of everyone) same(doc, everyone[0].doc, 'after the reunion')
  equal((await tools.load(server())).kind, 'loaded', 'the collected document and what came after')
  const again = bytes((await ask('collect', { updates: hexes(server()), message: 'as in yrs' })).update)
  for (const kept of [[again], server()]) {
    for (const gc of [true, false]) equal(blurred(apply(kept, gc)), blurred(everyone[0].doc), 'who comes after the reunion')
  }
}
