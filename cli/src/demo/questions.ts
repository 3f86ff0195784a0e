import { readFile } from 'node:fs/promises'
import { runIdOf, DEFAULT_TENANT, TOPICS } from '@baton/contracts'
import type { OutgoingRecord } from '@baton/bus'
import type { DemoCase } from './report.ts'

/** A labelled question: banking77 or, out of scope, CLINC150. */
export type Question = { readonly id: string; readonly text: string; readonly category: string; readonly sensitive: boolean }

/** The flow that answers them, and who asks. */
const FLOW = 'support/customer-support'
const SOURCE = 'demo'

export const readQuestions = async (file: string): Promise<readonly Question[]> => {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line.trim() !== '')
  // Written by data/support/rebuild.mjs, which makes exactly these fields.
  return lines.map((line) => JSON.parse(line) as Question)
}

export const caseOf = (question: Question): DemoCase => ({
  runId: runIdOf({ tenant: DEFAULT_TENANT, source: SOURCE, requestId: question.id }),
  category: question.category,
  outOfScope: question.category === 'unknown',
})

/** The request as any product would publish it: plain JSON. The label stays behind. */
export const requestRecord = ({ id, text }: Question): OutgoingRecord => ({
  topic: TOPICS.requests,
  key: id,
  headers: {},
  value: Buffer.from(JSON.stringify({ id, source: SOURCE, flow: FLOW, input: { ticket: id, text }, labels: { demo: 'support' } })),
})
