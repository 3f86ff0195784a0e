// Five nodes of `v + 1` in LangGraph.js with a PostgreSQL checkpoint after each. Usage: node bench.mjs DATABASE_URL (see ../serve.mjs).
import { randomUUID } from 'node:crypto'
import { Annotation, END, START, StateGraph } from '@langchain/langgraph'
import { PostgresSaver } from '@langchain/langgraph-checkpoint-postgres'
import pg from 'pg'
import { serve } from './serve.mjs'

const saver = new PostgresSaver(new pg.Pool({ connectionString: process.argv[2], max: 20 }))
await saver.setup()
let graph = new StateGraph(Annotation.Root({ v: Annotation() }))
for (let k = 1; k <= 5; k += 1) graph = graph.addNode(`s${k}`, async ({ v }) => ({ v: v + 1 }))
graph = graph.addEdge(START, 's1').addEdge('s5', END)
for (let k = 1; k < 5; k += 1) graph = graph.addEdge(`s${k}`, `s${k + 1}`)
const app = graph.compile({ checkpointer: saver })

await serve(async (v) => (await app.invoke({ v }, { configurable: { thread_id: randomUUID() }, durability: 'sync' })).v)
process.exit(0)
