// Hocuspocus with its default settings and the simplest store, called as its documentation has it: two seconds after the last
// change, and when a document is closed. Started with a port and a data directory.
import { mkdirSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Server } from '@hocuspocus/server'
import { applyUpdate, encodeStateAsUpdate } from 'yjs'

const [port, data] = process.argv.slice(2)
mkdirSync(data, { recursive: true })
const file = (name) => join(data, encodeURIComponent(name))

const server = new Server({
  address: '127.0.0.1',
  port: Number(port),
  quiet: true,
  onLoadDocument: async ({ documentName, document }) => {
    try {
      applyUpdate(document, await readFile(file(documentName)))
    } catch (error) {
      if (error.code !== 'ENOENT') throw error
    }
  },
  onStoreDocument: async ({ documentName, document }) => {
    writeFileSync(file(documentName), encodeStateAsUpdate(document))
  },
})
await server.listen()
console.log(`listening on http://127.0.0.1:${server.address.port}`)
