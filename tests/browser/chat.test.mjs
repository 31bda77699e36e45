/** The chat beside a document, and what it shares with the editor. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, newPerson, screenshot, startBrowser, startServer } from './harness.mjs';

let server;
let browser;

before(async () => {
  server = await startServer();
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test('what one says the other reads, beside the document, with a count of what is unread', async () => {
  const { ada, ben } = await two('talk');
  await ada.chat.open();
  await ada.chat.say('Shall we begin?');
  await ada.chat.line('Ada', 'Shall we begin?').waitFor();
  const button = ben.page.getByRole('button', { name: 'Chat, 1 unread' });
  await button.waitFor();
  await button.click();
  await ben.chat.line('Ada', 'Shall we begin?').waitFor();
  await ben.page.getByRole('button', { name: 'Chat', exact: true }).waitFor();
  await ben.chat.say('Yes.');
  await ada.chat.line('Ben', 'Yes.').waitFor();
  await screenshot(ada.page, 'chat');
  await ada.page.keyboard.press('Escape');
  await ada.chat.panel.waitFor({ state: 'hidden' });
  assert.equal(await ada.page.evaluate(() => document.activeElement.getAttribute('aria-controls')), 'chat');
  for (const { problems } of [ada, ben]) assert.deepEqual(problems, []);
});

test('who types in the chat shows below the document, and who types in the document shows in the chat', async () => {
  const { ada, ben } = await two('typing-both-ways');
  await ada.chat.open();
  await ben.chat.open();
  await ada.chat.input.pressSequentially('Thinking about');
  await ben.chat.panel.getByText('Ada is typing…').waitFor();
  await ben.page.locator('.foot').getByText('Ada is typing…').waitFor();
  await ada.chat.input.fill('');
  await ben.page.locator('.foot').getByText('Ada is typing…').waitFor({ state: 'detached' });
  await ben.type('In the text');
  await ada.chat.panel.getByText('Ben is typing…').waitFor();
  await ada.page.locator('.foot').getByText('Ben is typing…').waitFor();
  assert.equal(await ben.page.getByText('Ben is typing…').count(), 0, 'nobody is told of themselves');
});

test('the chat makes nobody appear twice', async () => {
  const { ada, ben } = await two('once');
  await ada.chat.open();
  await ben.chat.open();
  await ada.chat.say('Here.');
  await ben.chat.line('Ada', 'Here.').waitFor();
  const people = ben.page.getByRole('list', { name: 'People in this document' }).getByRole('listitem');
  await eventually(async () => assert.equal(await people.count(), 2));
});

test('another name is another name in the chat too', async () => {
  const { ada, ben } = await two('renamed');
  await ben.chat.open();
  await ada.page.getByTitle('Change your name and colour').click();
  await ada.page.getByRole('textbox', { name: 'Name' }).fill('Adele');
  await ada.page.getByRole('button', { name: 'Save' }).click();
  await ada.chat.open();
  await ben.chat.panel.getByText('Adele joined the room').waitFor();
  await ada.chat.say('It is me.');
  await ben.chat.line('Adele', 'It is me.').waitFor();
});

test('markup is text, long words wrap, and what cannot be sent comes back', async () => {
  const { ada, ben } = await two('hostile');
  await ada.chat.open();
  await ben.chat.open();
  const markup = '<img src=x onerror=alert(1)>\n' + 'w'.repeat(300);
  await ada.chat.say(markup);
  await eventually(async () => assert.equal(await ben.chat.panel.locator('.chat-text').textContent(), markup));
  assert.equal(await ben.chat.panel.locator('img').count(), 0);
  assert.ok(await ben.chat.panel.evaluate((panel) => panel.scrollWidth <= panel.clientWidth), 'nothing sticks out');
  await server.kill();
  await ada.chat.panel.getByText('comes back by itself').waitFor();
  assert.equal(await ada.page.getByRole('button', { name: 'Send' }).isDisabled(), true);
  await ada.chat.input.fill('Kept until then');
  await ada.chat.input.press('Enter');
  await ada.chat.panel.getByRole('alert').getByText('Not sent.').waitFor();
  assert.equal(await ada.chat.input.inputValue(), 'Kept until then');
  server = await startServer({ data: server.data, port: server.port });
  // Who is not back yet hears nothing of what is said meanwhile.
  for (const { chat } of [ada, ben]) {
    await chat.panel.getByText('comes back by itself').waitFor({ state: 'hidden' });
  }
  await ada.chat.input.press('Enter');
  await ben.chat.line('Ada', 'Kept until then').waitFor();
});

test('a server without the chat says so, and the document works', async (t) => {
  const plain = await startServer({ settings: { YDOCK_GATEWAYS__BUILT_IN: 'false' } });
  t.after(() => plain.stop());
  const ada = await newPerson(browser, 'Ada');
  await ada.open(plain.documentUrl('no-chat'));
  await chatOf(ada).open();
  await chatOf(ada).panel.getByText('This server has no chat.').waitFor();
  await ada.type('Written.');
  assert.equal(await ada.text(), 'Written.');
});

async function two(name) {
  const people = { ada: await newPerson(browser, 'Ada'), ben: await newPerson(browser, 'Ben', { colour: '#b3540c' }) };
  for (const person of Object.values(people)) {
    await person.open(server.documentUrl(name));
    person.chat = chatOf(person);
  }
  return people;
}

function chatOf({ page }) {
  const panel = page.getByRole('complementary', { name: 'Chat' });
  const input = panel.getByRole('textbox', { name: 'Message' });
  return {
    panel,
    input,
    open: async () => {
      await page.getByRole('button', { name: /^Chat/ }).first().click();
      await panel.waitFor();
    },
    say: async (text) => {
      await input.fill(text);
      await input.press('Enter');
    },
    line: (user, text) => panel.getByRole('listitem').filter({ hasText: user }).filter({ hasText: text }),
  };
}
