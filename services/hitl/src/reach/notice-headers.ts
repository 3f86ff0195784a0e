// Headers of a notice as Standard Webhooks have them: id, time, and a signature over both and the body.
import { createHmac } from 'node:crypto'

/** Headers of a notice. */
export const noticeHeaders = ({
  id,
  body,
  secret,
  atMs,
}: {
  id: string
  body: string
  secret: string
  atMs: number
}): Record<string, string> => {
  const seconds = String(Math.floor(atMs / 1_000))
  const signature = createHmac('sha256', secret).update(`${id}.${seconds}.${body}`).digest('base64')
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': seconds,
    'webhook-signature': `v1,${signature}`,
    'user-agent': 'baton-reviews',
  }
}
