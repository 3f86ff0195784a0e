// The page behind a link: plain HTML, no script. Everything that came from outside is text.
import type { Json } from '@baton/contracts'
import type { ReviewContext } from '../review-context.ts'
import type { Review } from '../review.ts'
import type { Link } from './link-token.ts'

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (char) => ENTITIES[char] ?? '')

const shown = (value: Json): string => escaped(typeof value === 'string' ? value : JSON.stringify(value, null, 2))

const page = (title: string, body: string): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="referrer" content="no-referrer"><title>${escaped(title)}</title></head><body><main>${body}</main></body></html>`

const LABELS = { approve: 'Approve', reject: 'Reject', edit: 'Send what I wrote', respond: 'Answer' } as const

/** What is asked, and a form for each verdict that needs no more than a reason. Looking at it decides nothing. */
export const askPage = (review: Review, { context, link }: { context: ReviewContext; link: Link }): string => {
  const { title, dueAtMs } = review
  const buttons = link.verdicts
    .filter((verdict) => verdict === 'approve' || verdict === 'reject')
    .map((verdict) => `<button name="verdict" value="${verdict}">${LABELS[verdict]}</button>`)
    .join(' ')
  const reasons =
    context.reasons.length === 0
      ? ''
      : `<h2>Why you are asked</h2><ul>${context.reasons.map((one) => `<li>${escaped(one)}</li>`).join('')}</ul>`
  return page(
    title,
    `<h1>${escaped(title)}</h1><p>For ${escaped(link.person)}. To be decided by ${new Date(dueAtMs).toISOString()}.</p>
<h2>What it is about</h2><pre>${shown(context.question)}</pre>
${context.proposal === null ? '' : `<h2>What is proposed</h2><pre>${shown(context.proposal)}</pre>`}${reasons}
<form method="post"><p><label>Reason <input name="reason" maxlength="4000" size="60"></label></p><p>${buttons}</p></form>`,
  )
}

/** What became of it. */
export const outcomePage = (title: string, words: string): string => page(title, `<h1>${escaped(title)}</h1><p>${escaped(words)}</p>`)
