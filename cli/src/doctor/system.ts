import type { Environment } from '@baton/service'
import { fail, pass, type Finding } from './finding.ts'

const TIMEOUT_MS = 2_000

/** Whether a running system is ready; nothing where none answers, which is no fault. */
export const systemFindings = async ({ url }: Environment): Promise<readonly Finding[]> => {
  const reply = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(() => undefined)
  if (reply === undefined) return []
  if (reply.ok) return [pass({ check: 'system', message: `runs at ${url} and is ready` })]
  const text = await reply.text()
  return [
    fail({
      check: 'system',
      message: `answers at ${url} but is not ready: ${text.slice(0, 300)}`,
      help: 'its log says why; a start or a drain passes by itself',
    }),
  ]
}
