// The office's tools: a register that is looked into, numbers that can be given back, and accounts that cannot.
import { defineTool } from '@baton/tools'
import { z } from 'zod'
import { accountOf, lookUp, openAccount, release, reserve } from '../office/store.ts'

const text = z.string().min(1).max(256)

export const lookup = defineTool({
  name: 'registers/lookup',
  about: 'Says on which lists a name is. A name alone is no proof that it is the same person.',
  effect: 'read',
  input: z.strictObject({ name: text }),
  output: z.object({ hits: z.array(z.object({ name: z.string(), list: z.string(), since: z.string() })) }),
  timeoutMs: 2_000,
  run: ({ name }) => ({ hits: lookUp(name) }),
})

export const reserveNumber = defineTool({
  name: 'accounts/reserve_number',
  about: 'Reserves a number for an application.',
  effect: 'write',
  idempotent: true,
  input: z.strictObject({ application: text }),
  output: z.object({ number: z.string() }),
  timeoutMs: 5_000,
  run: ({ application }, { effectKey }) => reserve(effectKey, application),
})

export const releaseNumber = defineTool({
  name: 'accounts/release_number',
  about: 'Gives a reserved number back.',
  effect: 'write',
  idempotent: true,
  input: z.strictObject({ number: text }),
  output: z.object({ ok: z.boolean() }),
  timeoutMs: 5_000,
  run: ({ number }) => release(number),
})

export const open = defineTool({
  name: 'accounts/open',
  about: 'Opens an account. It cannot be closed by a machine.',
  effect: 'irreversible',
  idempotent: true,
  input: z.strictObject({ application: text, name: text, number: text, signedBy: text }),
  output: z.object({ account: z.string() }),
  timeoutMs: 5_000,
  run: (args, { effectKey }) => openAccount(effectKey, args),
  reconcile: async (effectKey) => accountOf(effectKey),
})
