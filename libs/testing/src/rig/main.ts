// The rig as a process of its own: `node dist/rig/main.js [--port N] [--speed N] [--echo] [--seed N] FILE…` with recordings as JSON lines.
// Prints one line of JSON with its addresses when it listens.
import { parseArgs } from 'node:util'
import { readRecordings, type Recording } from './recording.ts'
import { startRig } from './rig.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    port: { type: 'string', default: '0' },
    speed: { type: 'string', default: 'Infinity' },
    seed: { type: 'string', default: '1' },
    echo: { type: 'boolean', default: false },
  },
})
const recordings: readonly Recording[] = positionals.flatMap(readRecordings)
const { url, openAiUrl, anthropicUrl } = await startRig({
  recordings,
  port: Number(values.port),
  speed: Number(values.speed),
  seed: Number(values.seed),
  echo: values.echo,
})
process.stdout.write(`${JSON.stringify({ url, openAiUrl, anthropicUrl, recordings: recordings.length })}\n`)
