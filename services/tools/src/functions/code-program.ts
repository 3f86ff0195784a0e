import { z } from 'zod'
import type { Json } from '@baton/contracts'
import { runProgram, type ProcessLimits } from '../isolation/sandbox-process.adapter.ts'
import { defineTool, type Tool } from '../tool.ts'

export const PROGRAM_LIMITS: ProcessLimits = { timeoutMs: 10_000, memoryMbMax: 128, outputCharsMax: 1_000_000, logCharsMax: 20_000 }

/** Runs a program in a process of its own: as fast as Node is, for what a snippet is too slow or too small for. */
export const codeProgram = (limits: ProcessLimits = PROGRAM_LIMITS): Tool =>
  defineTool({
    name: 'code/program',
    about:
      'Runs a JavaScript program in a process of its own (no network, no files, no imports). `input` is a variable; the value of the last expression, or what it promises, is the result; console.log is kept.',
    effect: 'read',
    input: z.strictObject({ code: z.string().min(1).max(1_000_000), input: z.custom<Json>().optional() }),
    output: z.object({ ok: z.boolean(), result: z.custom<Json>(), error: z.string().nullable(), logs: z.array(z.string()) }),
    timeoutMs: limits.timeoutMs + 5_000,
    run: async ({ code, input = null }, { signal }) => {
      const { logs, ...answer } = await runProgram({ code, input }, { limits, signal })
      return { ...answer, logs: [...logs] }
    },
  })
