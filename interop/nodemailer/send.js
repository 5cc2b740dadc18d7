// Standard input: {transport, messages}. Sends them all at once by one transport; prints for each what became of it.
'use strict'

const nodemailer = require(process.argv[2]) // the folder where it is installed

async function sent(transport, message) {
  if (message.raw) message.raw = Buffer.from(message.raw, 'base64')
  try {
    const { accepted, rejected, response } = await transport.sendMail(message)
    return { accepted, rejected, response }
  } catch (error) {
    return { code: error.code, command: error.command, response: error.response }
  }
}

async function main() {
  const chunks = []
  for await (const chunk of process.stdin) chunks.push(chunk)
  const { transport: options, messages } = JSON.parse(Buffer.concat(chunks))
  const transport = nodemailer.createTransport(options)
  const results = await Promise.all(messages.map((message) => sent(transport, message)))
  transport.close()
  process.stdout.write(JSON.stringify(results))
}

main()
