import { Controller, Get, Inject } from '@nestjs/common'
import { z } from 'zod'
import type { Tool } from './tool.ts'
import type { ToolRegistry } from './tool-registry.ts'

/** Token of the registry. */
export const TOOL_REGISTRY = Symbol('tool registry')

type ToolView = Pick<Tool, 'name' | 'about' | 'effect' | 'idempotent' | 'timeoutMs'> & { readonly input: unknown; readonly output: unknown }

const schemaOf = (schema: z.ZodType): unknown => {
  try {
    return z.toJSONSchema(schema, { unrepresentable: 'any', io: 'input' })
  } catch {
    return true // a schema of another zod: anything, as far as a reader is concerned
  }
}

/** What can be called. */
@Controller('v1/tools')
export class ToolController {
  readonly #registry: ToolRegistry

  constructor(@Inject(TOOL_REGISTRY) registry: ToolRegistry) {
    this.#registry = registry
  }

  @Get()
  list(): { items: readonly ToolView[] } {
    const items = this.#registry.list().map(({ name, about, effect, idempotent, timeoutMs, input, output }) => ({
      name,
      about,
      effect,
      idempotent,
      timeoutMs,
      input: schemaOf(input),
      output: schemaOf(output),
    }))
    return { items }
  }
}
