import { Controller, Get, Inject } from '@nestjs/common'
import { schemaOfShape } from './shape.ts'
import type { Tool } from './tool.ts'
import type { ToolRegistry } from './tool-registry.ts'

/** Token of the registry. */
export const TOOL_REGISTRY = Symbol('tool registry')

type ToolView = Pick<Tool, 'name' | 'about' | 'effect' | 'idempotent' | 'timeoutMs'> & {
  readonly outside: boolean
  readonly private: boolean
  readonly outbound: boolean
  readonly input: unknown
  readonly output: unknown
}

/** What can be called. */
@Controller('v1/tools')
export class ToolController {
  readonly #registry: ToolRegistry

  constructor(@Inject(TOOL_REGISTRY) registry: ToolRegistry) {
    this.#registry = registry
  }

  @Get()
  async list(): Promise<{ items: readonly ToolView[] }> {
    const tools = await this.#registry.list()
    const items = tools.map(
      ({ name, about, effect, idempotent, timeoutMs, outside = false, private: secret = false, outbound = false, input, output }) => ({
        name,
        about,
        effect,
        idempotent,
        timeoutMs,
        outside,
        private: secret,
        outbound,
        input: schemaOfShape(input),
        output: schemaOfShape(output),
      }),
    )
    return { items }
  }
}
