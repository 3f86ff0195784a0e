import type { Type } from '../types/type.ts'
import { element, literal, propertyName, union } from './schema-text.ts'

/** A type of the checker as TypeScript. */
export const typeText = (type: Type, indent = ''): string => {
  const text = shapeText(type, indent)
  return type.nullable === undefined ? text : union([text, 'null'])
}

const shapeText = (type: Type, indent: string): string => {
  switch (type.kind) {
    case 'any':
      return 'unknown'
    case 'integer':
      return 'number'
    case 'enum':
      return union(type.values.map(literal))
    case 'list':
      return `readonly ${element(typeText(type.of, indent))}[]`
    case 'map':
      return `{ readonly [key: string]: ${typeText(type.of, indent)} }`
    case 'object': {
      const inner = `${indent}  `
      const lines = [...type.fields].map(
        ([name, field]) => `${inner}readonly ${propertyName(name)}${field.absent === true ? '?' : ''}: ${typeText(field, inner)}`,
      )
      const more = type.open ? [`${inner}readonly [key: string]: unknown`] : []
      return lines.length + more.length === 0 ? '{ readonly [key: string]: unknown }' : `{\n${[...lines, ...more].join('\n')}\n${indent}}`
    }
    default:
      return type.kind
  }
}
