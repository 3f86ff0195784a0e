// The smallest program: one run of a chain in memory. `npm run bench:check` starts it, and reads how long the process has been there.
import { writeSync } from 'node:fs'
import { chain, run } from 'baton'

const notes = chain({ facts: 'Extract the facts from {{ input.text }}', summary: 'Summarise {{ facts }}' })
const { status } = await run(notes, { text: 'Two cats. One dog.' }, { models: async ({ prompt }) => `(${prompt})` })
if (status !== 'completed') throw new Error(`the run ended as ${status}`)
writeSync(1, String(performance.now())) // `process.stdout` is opened at its first use, which is no part of the run.
