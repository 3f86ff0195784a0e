// Types that the platform fixes.
import { FAULTS } from '@baton/contracts/fault'
import { ANY, BOOLEAN, INTEGER, listOf, NUMBER, objectOf, orNull, STRING, type Type } from './type.ts'

const sometimes = (value: Type): Type => orNull(value, { why: 'not every run has one' })

/** What expressions know of the run. */
export const RUN: Type = objectOf({
  id: STRING,
  requestId: STRING,
  source: STRING,
  tenant: STRING,
  flow: STRING,
  version: STRING,
  priority: STRING,
  labels: { kind: 'map', of: STRING },
  startedAtMs: INTEGER,
  session: sometimes(STRING),
  user: sometimes(STRING),
})

/** What an error handler looks at. */
export const FAULT: Type = objectOf({
  code: { kind: 'enum', values: Object.keys(FAULTS) },
  message: STRING,
  detail: { kind: 'map', of: ANY, absent: true },
})

/** A failure that a parallel step or a map keeps beside the outputs. */
export const FAILURE = objectOf({ branch: STRING, code: STRING, message: STRING })

/** `source` and `heading` are for citing it. */
const passage = objectOf({
  id: STRING,
  title: STRING,
  text: STRING,
  score: NUMBER,
  rank: NUMBER,
  source: STRING,
  heading: STRING,
  meta: ANY,
  at: ANY,
})

/** What did not fit the context of a step. */
export const LEFT_OUT_TYPE = listOf(objectOf({ part: STRING, tokens: INTEGER, how: STRING }), 100)

/** What a search gives. */
export const passages = (top: number): Type => objectOf({ items: listOf(passage, top), score: NUMBER })

/** A single check puts its own findings beside the summary. */
export const verdict = (checks: number): Type =>
  objectOf(
    {
      pass: BOOLEAN,
      score: NUMBER,
      reason: STRING,
      checks: listOf(objectOf({ check: STRING, pass: BOOLEAN, score: NUMBER, reason: STRING }, true)),
    },
    checks === 1,
  )
