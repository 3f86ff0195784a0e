import { Body, Query, StandardSchemaValidationPipe } from '@nestjs/common'
import { Fault } from '@baton/contracts/fault'
import type { z } from 'zod'

type Issue = { readonly message: string; readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined }

const fieldOf = (issue: Issue | undefined): string => {
  const path = issue?.path ?? []
  return path.length === 0 ? '(root)' : path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
}

const pipe = new StandardSchemaValidationPipe({
  exceptionFactory: (issues: readonly Issue[]) => {
    const field = fieldOf(issues[0])
    return new Fault('request.malformed', `${field}: ${issues[0]?.message ?? 'invalid'}`, { field })
  },
})

/** A request body checked by a schema; what does not fit answers `request.malformed` and names the field. */
export const ValidBody = (schema: z.ZodType): ParameterDecorator => Body({ schema, pipes: [pipe] })

/** The query of a request, checked the same way. Values arrive as text: use `z.coerce`. */
export const ValidQuery = (schema: z.ZodType): ParameterDecorator => Query({ schema, pipes: [pipe] })
