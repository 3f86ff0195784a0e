// What the assistant may see of the repository: REPOSITORY_DIR, or the sample beside this flow. The index `repository` of
// config/retrievers.yaml is asked through repository/search.
import { join } from 'node:path'
import { defineTool } from '@baton/tools'
import { z } from 'zod'
import { openRepository } from '../repository/reader.ts'

const repository = openRepository(process.env['REPOSITORY_DIR'] ?? join(import.meta.dirname, '..', 'sample'))
const path = z.string().min(1).max(500)

export const list = defineTool({
  name: 'repository/list',
  about: 'Files of the repository, without what .gitignore leaves out.',
  effect: 'read',
  private: true,
  input: z.strictObject({}),
  output: z.object({ paths: z.array(z.string()), more: z.boolean() }),
  timeoutMs: 2_000,
  run: async () => {
    const { paths, more } = await repository.list()
    return { paths: [...paths], more }
  },
})

export const read = defineTool({
  name: 'repository/read',
  about: 'Files of the repository, whole. One that is not there, is left out by .gitignore or is too large fails the call.',
  effect: 'read',
  private: true,
  input: z.strictObject({ paths: z.array(path).max(20) }),
  output: z.object({ files: z.array(z.object({ path: z.string(), text: z.string() })) }),
  timeoutMs: 2_000,
  run: async ({ paths }) => ({ files: await Promise.all(paths.map(async (one) => ({ path: one, text: await repository.text(one) }))) }),
})

export const search = defineTool({
  name: 'repository/search',
  about: 'Passages of the repository that have words of the query, the best first.',
  effect: 'read',
  private: true,
  outside: false,
  input: z.strictObject({ query: z.string().min(1).max(20_000), limit: z.number().int().min(1).max(50).default(10) }),
  output: z.object({ hits: z.array(z.object({ path: z.string(), line: z.number(), text: z.string(), score: z.number() })) }),
  timeoutMs: 2_000,
  run: async ({ query, limit }) => ({ hits: [...(await repository.search(query, limit))] }),
})
