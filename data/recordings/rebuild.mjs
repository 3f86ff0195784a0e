// `BATON_SHARED=DIR node data/recordings/rebuild.mjs`: writes gsm8k.jsonl.gz and airline.jsonl.gz from the data sets in DIR/data.
// One recording a line, as `readRecordings` of @baton/testing/rig takes them. README.md says where they come from.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'

const shared = process.env.BATON_SHARED
if (shared === undefined) throw new Error('BATON_SHARED names no folder')
const read = (...path) => gunzipSync(readFileSync(join(shared, 'data', ...path))).toString('utf8')
const write = (name, rows) => {
  writeFileSync(join(import.meta.dirname, name), gzipSync(rows.map((row) => JSON.stringify(row)).join('\n'), { level: 9 }))
  console.log(`${name}: ${rows.length} recordings`)
}

const MODELS = { 'mixtral-8x7b-instruct': 'mistralai/Mixtral-8x7B-Instruct-v0.1', 'gpt-4-1106-preview': 'gpt-4-1106-preview' }
const questions = parse(read('routellm', 'gsm8k_dev.csv.gz'), { columns: true })
write(
  'gsm8k.jsonl.gz',
  questions.flatMap((row, at) =>
    Object.entries(MODELS).map(([model, column]) => ({
      model,
      id: `gsm8k-${at}`,
      asked: row.prompt,
      text: row[`${column}_response`].trim(),
      correct: row[column] === 'True',
    })),
  ),
)

const TURN = '\n\u0000\n'
write(
  'airline.jsonl.gz',
  JSON.parse(read('tau_airline', 'trajectories.json.gz')).flatMap(({ task_id: task, trial, traj }) => {
    const asked = []
    let turn = 0
    return traj.flatMap(({ role, content, tool_calls: calls }) => {
      if (role === 'user' || role === 'tool') asked.push(content ?? '')
      if (role !== 'assistant') return []
      turn += 1
      return {
        model: 'gpt-4o',
        id: `airline-${task}-${trial}-${turn}`,
        // The newest texts are enough to tell one turn of a conversation from the others.
        asked: asked.length <= 2 ? asked.join(TURN) : undefined,
        text: content ?? '',
        ...(calls === undefined || calls === null
          ? {}
          : { calls: calls.map(({ id, function: { name, arguments: text } }) => ({ id, tool: name, arguments: text })) }),
      }
    })
  }),
)
