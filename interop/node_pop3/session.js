// Standard input: {target: options, steps: [[method, ...arguments], ...]}.
// Does the steps in one session and prints what each gave: {value}, or {error}.
'use strict'

const Pop3Command = require(process.argv[2]) // the folder where it is installed

async function main() {
  const { target, steps } = JSON.parse(require('fs').readFileSync(0))
  const client = new Pop3Command(target)
  const results = []
  for (const [method, ...given] of steps) {
    try {
      results.push({ value: await client[method](...given) })
    } catch (error) {
      results.push({ error: error.message, command: error.command })
    }
  }
  process.stdout.write(JSON.stringify(results))
}

main()
