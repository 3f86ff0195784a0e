// A consumer as a process of its own, for faults that befall a process. Settings as JSON in the first argument; a line on standard output for
// every message it handled. Handlers fail the first time where the key says so, so that something waits in the ladder while clocks jump.
import { lanesOptions, openBus } from './stage.mjs'

const { brokers, prefix, sessionTimeoutMs, handlerMs } = JSON.parse(process.argv[2])
const bus = await openBus(brokers, prefix, { sessionTimeoutMs, ensureTopics: true })
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`)
const FLAKY = { outcome: 'retry', fault: { code: 'handler.failed', message: 'the first time it fails' }, afterMs: 1_000 }

const lanes = await bus.lanes(
  lanesOptions(async ({ key, headers, partition }, { attempt }) => {
    if (headers['x-flaky'] === 'yes' && attempt === 1) return FLAKY
    if (handlerMs > 0) await new Promise((resolve) => setTimeout(resolve, handlerMs))
    say({ key, headers, partition })
    return { outcome: 'ack' }
  }),
)
say({ ready: true })
process.once('SIGTERM', async () => {
  await lanes.close({ graceMs: 5_000 })
  await bus.close()
  process.exit(0)
})
