// Standard input: {records, sign: [{message, keys, canonicalization}], verify: [message]}, messages in base64.
// Prints {signed: [fields], verified: [[[selector, result], ...]]}. The folder where it is installed is the argument.
'use strict'

const { dkimSign } = require(process.argv[2] + '/lib/dkim/sign')
const { dkimVerify } = require(process.argv[2] + '/lib/dkim/verify')

async function main() {
  const chunks = []
  for await (const chunk of process.stdin) chunks.push(chunk)
  const { records, sign, verify } = JSON.parse(Buffer.concat(chunks))
  const resolver = async (name) => {
    if (records[name]) return [[records[name]]]
    throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })
  }
  const signed = []
  for (const { message, keys, canonicalization } of sign) {
    const made = await dkimSign(Buffer.from(message, 'base64'), { canonicalization, signatureData: keys })
    if (made.errors.length) throw made.errors[0].err
    signed.push(made.signatures)
  }
  const verified = []
  for (const message of verify) {
    const { results } = await dkimVerify(Buffer.from(message, 'base64'), { resolver })
    verified.push(results.filter((one) => one.selector).map((one) => [one.selector, one.status.result]))
  }
  process.stdout.write(JSON.stringify({ signed, verified }))
}

main()
