import { z } from 'zod'
import type { Json } from '@baton/contracts'
import { runSnippet, type SnippetLimits } from '../isolation/snippet.ts'
import { defineTool, type Tool } from '../tool.ts'

export const SNIPPET_LIMITS: SnippetLimits = { timeoutMs: 1_000, memoryBytesMax: 33_554_432, outputCharsMax: 100_000, logCharsMax: 20_000 }

/** Runs a snippet of JavaScript without network, files or clock. */
export const codeRun = (limits: SnippetLimits = SNIPPET_LIMITS): Tool =>
  defineTool({
    name: 'code/run',
    about:
      'Runs a snippet of JavaScript (ES2023, no network, no files, no imports). `input` is a variable; the value of the last expression is the result; console.log is kept.',
    effect: 'read',
    input: z.strictObject({ code: z.string().min(1).max(100_000), input: z.custom<Json>().optional() }),
    output: z.object({ ok: z.boolean(), result: z.custom<Json>(), error: z.string().nullable(), logs: z.array(z.string()) }),
    timeoutMs: limits.timeoutMs + 6_000,
    run: async ({ code, input = null }, { signal }) => {
      const { logs, ...answer } = await runSnippet({ code, input }, { limits, signal })
      return { ...answer, logs: [...logs] }
    },
  })
