// Tools that are done by somebody outside: every call goes to the proof, which says what it gives and when.
import { Fault } from '@baton/contracts'
import { defineTool } from '@baton/tools'
import { z } from 'zod'

const input = z.looseObject({ what: z.string() })
const output = z.json()

const ask = async (args, { effectKey, runId, path, signal }) => {
  const body = JSON.stringify({ args, effectKey, runId, path })
  const reply = await fetch(process.env.PATTERNS_WORLD_URL, { method: 'POST', body, signal })
  const { fault, gives } = await reply.json()
  if (fault !== undefined) throw new Fault(fault, 'the world said so', {})
  return gives
}

const common = { input, output, timeoutMs: 60_000, run: ask }

/** Looks at the world. */
export const see = defineTool({ ...common, name: 'world/see', about: 'Looks at the world.', effect: 'read' })
/** Changes it, once for its key. */
export const act = defineTool({ ...common, name: 'world/act', about: 'Changes the world.', effect: 'write', idempotent: true })
/** Fails until its third call, whoever makes it, with the code it is given. */
export const flaky = defineTool({
  ...common,
  name: 'world/flaky',
  about: 'Fails twice.',
  effect: 'read',
  run: async ({ fails = 'tool.failed', ...args }, context) => {
    const { n } = await ask(args, context)
    if (n < 3) throw new Fault(fails, `call ${n} fails`, {})
    return { v: n }
  },
})
