// One record being decided: the run, the time, and what is to be published.
import { engineEventId } from '@baton/contracts/ids'
import type { FaultData } from '@baton/contracts/fault'
import type { JsonObject } from '@baton/contracts/json'
import type { PlanNode } from '@baton/flow/plan'
import type { Program } from '@baton/flow/program'
import type { JournalMessage, Output } from '../decision.ts'
import type { EndedRun, Entry, Frame, OpenRun } from '../state.ts'

/** What can be published without a plan. */
export type Ledger = {
  readonly run: OpenRun
  /** Time of the record, never before that of an earlier one. */
  readonly atMs: number
  readonly outputs: Output[]
  /** Set when this record ended the run; nothing is done after it. */
  ended: EndedRun | null
}

export type Turn = Ledger & {
  readonly program: Program
  readonly partition: number
  /** Whether the working time of the run rested until this record. */
  readonly rested: boolean
  /** Parts that have ended, for the steps they belong to; taken up before anything else moves. */
  readonly reports: Report[]
}

/** A frame that has come to its end, or has failed, and the step around it says what that means. */
export type Report = { readonly key: string; readonly frame: Frame; readonly came: Entry | FaultData }

const REPORTING: ReadonlySet<Frame['use']> = new Set(['part', 'turn', 'call', 'member', 'undo'])
/** Whether a frame of this use reports its end. */
export const reportsTo = (use: Frame['use']): boolean => REPORTING.has(use)

/** Place of a node in the run, and the frame that stands at it. */
export type Place = { readonly key: string; readonly frame: Frame; readonly node: PlanNode; readonly path: string }

type Numbered = { readonly runId: string; seq: number }

/** Takes the next event number of the run; the id of what is published with it (R1). */
export const takeId = (run: Numbered): string => {
  const id = engineEventId(run.runId, run.seq)
  run.seq += 1
  return id
}

/** What every journal event begins with; its `seq` is the one the next `journal` call takes. */
export const transition = ({ run, atMs }: Ledger): { runId: string; tenant: string; seq: number; atMs: number } => ({
  runId: run.runId,
  tenant: run.tenant,
  seq: run.seq,
  atMs,
})

type StepKindOfJournal = Extract<JournalMessage, { name: 'journal.step.decided' }>['data']['kind']

/** The same for events of a step. */
export const stepTransition = (turn: Turn, { node, path }: Place, kind: StepKindOfJournal = node.kind) => ({
  ...transition(turn),
  path,
  nodeId: node.id,
  kind,
})

export const journal = (turn: Ledger, message: JournalMessage): void => {
  turn.outputs.push({ to: 'journal', id: takeId(turn.run), message })
}

/** Says which rule, case or handler was chosen. */
export const journalDecided = (
  turn: Turn,
  place: Place,
  kind: 'switch' | 'gate' | 'handler' | 'vote' | 'agent' | 'team',
  chosen: string,
  detail?: JsonObject,
): void => {
  const data = { ...stepTransition(turn, place, kind), chosen }
  journal(turn, { name: 'journal.step.decided', data: detail === undefined ? data : { ...data, detail } })
}

export const isPerson = (node: PlanNode): boolean => node.kind === 'human'
