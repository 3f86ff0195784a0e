// config/retrievers.yaml: indexes that somebody else keeps. Each is a tool without effect (HTTP, OpenAPI, MCP, a function) and how its
// answer is read; flows name them like any other index.
import { join } from 'node:path'
import { z } from 'zod'
import { readSectionFile } from '../../config/section.ts'

const FILE = 'retrievers.yaml'
const Path = z.string().regex(/^[\w-]+(\.[\w-]+)*$/, 'a field, a dot for each level')

const Retriever = z.strictObject({
  /** As flows name it. */
  index: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,99}$/),
  tool: z.string().min(1).max(200),
  /** Names of the tool's arguments. */
  query: z.string().default('query'),
  top: z.string().nullable().default(null),
  filter: z.string().nullable().default(null),
  /** Arguments that are always the same. */
  arguments: z.record(z.string(), z.json()).default({}),
  /** Where the list of passages lies in the output; absent: the output itself, or the first list in it. */
  items: Path.optional(),
  /** Fields of a passage, by theirs. */
  fields: z
    .strictObject({ id: Path.optional(), title: Path.optional(), text: Path.optional(), score: Path.optional(), source: Path.optional() })
    .default({}),
})
export type Retriever = z.output<typeof Retriever>

/** By index. Throws `config.invalid` naming the line. */
export const readRetrievers = async (configDir: string): Promise<ReadonlyMap<string, Retriever>> => {
  const section = (await readSectionFile(join(configDir, FILE))).part('retrievers')
  const list = section.value === undefined ? [] : section.parse(z.array(Retriever).max(100))
  const names = list.map(({ index }) => index)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) throw section.refuse(`two retrievers are called ${twice}`)
  return new Map(list.map((retriever) => [retriever.index, retriever]))
}
