// A dispatch with an effect, with the ledger around it (C1 to C6), and what is asked of tools when an earlier try left an entry open.
import { canonicalJson, Fault, isRetryable, sha256, type Json } from '@baton/contracts'
import { AskedByTool, callOf, DispatchFailure, walk, type Dispatch, type Done } from './dispatch.ts'
import { closeFailed, keepEffect, openEffect, type KeptEffect } from './effect-ledger.ts'
import { reconcileTool } from './tool-run.ts'

/** An open entry of an earlier delivery: what its tools say became of it (C3). */
const recover = async (dispatch: Dispatch): Promise<KeptEffect | undefined> => {
  const effectful = dispatch.tools.filter(({ effect }) => effect !== 'read')
  for (const tool of effectful) {
    const answer = await reconcileTool(tool, callOf(dispatch, tool, tool.timeoutMs))
    if (answer !== undefined) return { tool: tool.name, output: answer.output }
  }
  const silent = effectful.filter(({ reconcile }) => reconcile === undefined)
  const [only] = silent
  if (only === undefined || (only.idempotent && dispatch.tools.length === 1)) return undefined
  throw new Fault('effect.uncertain', `${only.name} may have done this before and cannot tell`, { tool: only.name })
}

/**
 * A failure that says nothing about the effect. Where the work comes again it is found out then; where it does not, the doubt is what is
 * told, so that nothing does in another way what may have been done.
 */
const inDoubt = ({ fault }: DispatchFailure): DispatchFailure | Fault =>
  isRetryable(fault.code)
    ? new DispatchFailure(fault, false)
    : new Fault('effect.uncertain', `it may have been done: ${fault.message}`, { ...fault.detail, after: fault.code })

/** `input`: with what the tools are called. `asked`: what was asked for, where a person changed it. */
export type LedgerInput = { readonly input: Json; readonly asked: Json }

/** Has the effect of a dispatch once. */
export const withLedger = async (dispatch: Dispatch, { input, asked }: LedgerInput): Promise<Done> => {
  const { effects } = dispatch.context.stores
  const { tenant, effectKey } = dispatch.context
  const opened = await openEffect(effects, { tenant, key: effectKey, tools: dispatch.tools.map(({ name }) => name), args: input })
  if (opened.state === 'done') return { kept: opened.kept, tries: 1, failedOver: [] } // C2
  const { entry } = opened
  const keep = async (done: Done): Promise<Done> => {
    const kept = input === asked ? done.kept : { ...done.kept, asked: sha256(canonicalJson(asked)) }
    await keepEffect(effects, { tenant, entry, kept })
    return done
  }
  const recovered = opened.fresh ? undefined : await recover(dispatch)
  if (recovered !== undefined) return keep({ kept: recovered, tries: 1, failedOver: [] })
  try {
    return await keep(await walk(dispatch))
  } catch (error) {
    const nothing = error instanceof AskedByTool || (error instanceof DispatchFailure && error.certain)
    if (nothing) await closeFailed(effects, { tenant, entry }) // C5
    throw error instanceof DispatchFailure && !error.certain ? inDoubt(error) : error
  }
}
