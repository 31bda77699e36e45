// A session that may only read: it follows the document and shows itself, and what it writes stays with it.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { Client, versions } from './clients.mjs'
import { freshName, Server, waitFor } from './harness.mjs'
import { Raw } from './raw.mjs'

let server
let readOnly
before(async () => { [server, readOnly] = await Promise.all([Server.start(), Server.start('--everyone', 'view')]) })
after(() => Promise.all([server.stop(), readOnly.stop()]))

for (const version of versions) {
  describe(version.name, () => {
    test('a viewer sees edits and is seen, and its own edits reach nobody', async t => {
      const name = freshName('read-only')
      const editor = await Client.join(t, version, server, name)
      const viewer = await Client.join(t, version, server, name, { params: { role: 'view' } })
      editor.text.insert(0, 'from the editor')
      await waitFor('the viewer reads along', () => viewer.text.toString() === 'from the editor')

      viewer.text.insert(0, 'mine ')
      viewer.awareness.setLocalState({ name: 'viewer' })
      await waitFor('the editor sees the viewer', () => editor.awareness.getStates().get(viewer.id)?.name === 'viewer')
      assert.equal(editor.text.toString(), 'from the editor')
      editor.text.insert(0, 'later, ')
      await waitFor('the viewer still reads along', () => viewer.text.toString().includes('later, '))
      assert.equal((await server.export(name, 'json', '&types=text:text')).text, 'later, from the editor')
      assert.deepEqual(viewer.closes, [])
    })

    // What it wrote is in its Step2 from now on, each time that it connects.
    test('a viewer that has written connects again and stays', async t => {
      const name = freshName('read-only')
      const viewer = await Client.join(t, version, server, name, { params: { role: 'view' } })
      viewer.text.insert(0, 'mine')
      viewer.cut()
      await waitFor('it is offline', () => !viewer.provider.wsconnected)
      await viewer.synced()
      const editor = await Client.join(t, version, server, name)
      editor.map.set('key', 1)
      await waitFor('it reads along', () => viewer.map.get('key') === 1)
      assert.equal(editor.text.toString(), '')
      assert.ok(viewer.closes.every(({ code }) => code < 4400), JSON.stringify(viewer.closes))
    })
  })
}

test('where nobody may edit, the first frame says so and HTTP refuses changes', async t => {
  const name = freshName('read-only')
  const frames = []
  const raw = new Raw(t, `${readOnly.ws}/${name}`)
  raw.socket.on('message', data => frames.push(Buffer.from(data).toString('hex')))
  await waitFor('the first frames', () => frames.length > 1)
  assert.deepEqual(frames.slice(0, 2), ['0202' + '08' + Buffer.from('readonly').toString('hex'), '00000100'])

  const update = Uint8Array.from(Buffer.from('0101070004010174016100', 'hex'))
  const answers = [await readOnly.post(name, update), await fetch(readOnly.api(name), { method: 'DELETE' })]
  for (const answer of answers) {
    assert.equal(answer.status, 403)
    assert.equal((await answer.json()).type, '/problems/read-only')
  }
})
