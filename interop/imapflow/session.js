// Standard input: {sessions: [options, ...], steps: [[session, method, ...arguments], ...]}.
// Does the steps one after another and prints what each gave, and the dialogue of all sessions.
'use strict'

const { ImapFlow } = require(process.argv[2]) // the folder where it is installed

// Steps that are no method of ImapFlow.
const MORE = {
  // The octets of a part, streamed.
  async downloaded(client, ...range) {
    const { meta, content } = await client.download(...range)
    const chunks = []
    for await (const chunk of content) chunks.push(chunk)
    return { meta, content: Buffer.concat(chunks) }
  },
  // Begin to IDLE; later steps of the session end it.
  async beginIdle(client) {
    client.idle()
  },
  // The next event of that name: one that came already, or one to come.
  async event(client, name) {
    while (!client.events[name].length) await new Promise((resolve) => client.once(name, resolve))
    return client.events[name].shift()
  },
  async facts(client) {
    const { mailbox, enabled, capabilities, authenticated } = client
    return { mailbox, enabled, capabilities: [...capabilities.keys()], authenticated }
  },
}

function argument(value) {
  if (value && value.base64 !== undefined) return Buffer.from(value.base64, 'base64')
  return value
}

function plain(key, value) {
  const given = this[key] // before toJSON
  if (Buffer.isBuffer(given)) return { base64: given.toString('base64') }
  if (given instanceof Map) return Object.fromEntries(given)
  if (given instanceof Set) return [...given]
  return typeof given === 'bigint' ? Number(given) : value
}

function begin(options, dialogue) {
  const note = (entry) => {
    if (entry.src === 's' || entry.src === 'c') dialogue.push(entry.msg)
  }
  const logger = Object.fromEntries(['trace', 'debug', 'info', 'warn', 'error'].map((level) => [level, note]))
  const client = new ImapFlow({ ...options, logger, maxIdleTime: false })
  client.events = { exists: [], expunge: [], flags: [] }
  for (const name of Object.keys(client.events)) {
    client.on(name, ({ path, count, prevCount, seq, uid, flags }) =>
      client.events[name].push({ path, count, prevCount, seq, uid, flags })
    )
  }
  client.on('error', () => {}) // the step that failed says it
  return client
}

async function result(client, name, given) {
  try {
    const value = MORE[name] ? await MORE[name](client, ...given) : await client[name](...given)
    return { value: value ?? null }
  } catch (error) {
    const { message, responseText, serverResponseCode, authenticationFailed } = error
    return { error: { message, responseText, serverResponseCode, authenticationFailed } }
  }
}

async function main() {
  const chunks = []
  for await (const chunk of process.stdin) chunks.push(chunk)
  const { sessions, steps } = JSON.parse(Buffer.concat(chunks))
  const dialogue = []
  const clients = sessions.map((options) => begin(options, dialogue))
  const results = []
  for (const [at, name, ...given] of steps) results.push(await result(clients[at], name, given.map(argument)))
  for (const client of clients) client.close()
  process.stdout.write(JSON.stringify({ results, dialogue }, plain))
}

main()
