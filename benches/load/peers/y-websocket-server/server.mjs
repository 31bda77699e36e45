// @y/websocket-server as its README has it, with the simplest store: a document is read when it is opened, and written when its
// last member has left or the process is asked to end. Started with a port and a data directory.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { docs, setPersistence, setupWSConnection } from '@y/websocket-server/utils'
import WebSocket from 'ws'
import { applyUpdate, encodeStateAsUpdate } from 'yjs'

const [port, data] = process.argv.slice(2)
mkdirSync(data, { recursive: true })
const file = (name) => join(data, encodeURIComponent(name))
const write = (name, doc) => writeFileSync(file(name), encodeStateAsUpdate(doc))

setPersistence({
  provider: null,
  bindState: (name, doc) => {
    try {
      applyUpdate(doc, readFileSync(file(name)))
    } catch (error) {
      if (error.code !== 'ENOENT') throw error
    }
  },
  writeState: async (name, doc) => write(name, doc),
})

const server = createServer()
const sockets = new WebSocket.Server({ server, perMessageDeflate: false })
sockets.on('connection', (socket, request) => setupWSConnection(socket, request))
server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 }, () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`)
})
process.on('SIGTERM', () => {
  for (const [name, doc] of docs) write(name, doc)
  process.exit(0)
})
