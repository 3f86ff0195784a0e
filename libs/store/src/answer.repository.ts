// Answers by attempt id, kept before they are published (L9). Calls of one tick are one statement.
import type { Json } from '@baton/contracts/json'
import { batcher } from './batcher.ts'
import type { Database } from './database.ts'
import type { AnswerStore } from './ports.ts'

type Answer = Parameters<AnswerStore['save']>[0]

const INSERT = `insert into answers (attempt_id, tenant, body)
  select "attemptId", tenant, body from jsonb_to_recordset($1::jsonb) as a("attemptId" text, tenant text, body text)
  on conflict do nothing`

/** Answers over the database. The body is text, so that every character a model writes survives. */
export const answerRepository = (db: Database): AnswerStore => ({
  find: async (attemptId) => {
    const { rows } = await db.query<{ body: string }>('select body from answers where attempt_id = $1 limit 1', [attemptId], {
      name: 'answer-find',
    })
    // Written by `save` below as the JSON of a Json value.
    return rows[0] === undefined ? undefined : (JSON.parse(rows[0].body) as Json)
  },
  save: batcher<Answer, void>({
    run: async (answers) => {
      const rows = answers.map(({ tenant, attemptId, body }) => ({ tenant, attemptId, body: JSON.stringify(body) }))
      await db.query(INSERT, [JSON.stringify(rows)], { name: 'answers-save' })
      return answers.map(() => undefined)
    },
  }),
})
