import { z } from 'zod'
import { defineTool, type Tool } from '../tool.ts'

/** A page that was found. */
type WebPage = { readonly url: string; readonly title: string; readonly text: string; readonly score: number }

/** What searches the web: a port, so that a flow stays as it is when another search engine answers. */
export type WebSearch = (asked: {
  readonly query: string
  readonly top: number
  readonly tenant: string
  readonly signal: AbortSignal
}) => Promise<readonly WebPage[]>

const TEXT_CHARS_MAX = 2_000

/** `web/search` over a port. What it gives was written by strangers. */
export const webSearch = (search: WebSearch): Tool =>
  defineTool({
    name: 'web/search',
    about: 'Searches the web and gives the pages that fit best, with their addresses.',
    effect: 'read',
    outside: true,
    outbound: true,
    input: z.strictObject({ query: z.string().min(1).max(2_000), top: z.number().int().min(1).max(20).default(5) }),
    output: z.object({
      count: z.number(),
      pages: z.array(z.object({ url: z.string(), title: z.string(), text: z.string(), score: z.number() })),
    }),
    timeoutMs: 10_000,
    run: async ({ query, top }, { tenant, signal }) => {
      const pages = await search({ query, top, tenant, signal })
      return { count: pages.length, pages: pages.map((page) => ({ ...page, text: page.text.slice(0, TEXT_CHARS_MAX) })) }
    },
  })
