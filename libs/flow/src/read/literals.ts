// Literals with units where a flow expects them: money, shares, numbers of tokens.
import type { Json } from '@baton/contracts/json'
import { parseCount, parseMoney, parsePercent, parseSize } from '../source/literals.ts'
import { describe, type Syntax } from '../source/syntax.ts'
import type { ReadContext } from './context.ts'

const textOf = (node: Syntax): string | undefined => (node.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined)
const numberOf = (node: Syntax): number | undefined => (node.kind === 'scalar' && typeof node.value === 'number' ? node.value : undefined)

/** An amount of money in millionths of a dollar. */
export const readMoney = (node: Syntax, what: string, context: ReadContext): number | undefined => {
  const micro = parseMoney(textOf(node) ?? '')
  const number = numberOf(node)
  if (micro === undefined)
    context.report.add(
      node,
      'literal.money',
      `${what} must be an amount like 0.05 USD, not ${describe(node)}`,
      number === undefined ? '0.05 USD' : `${number} USD`,
    )
  return micro
}

/** A share from 0 to 1, also written as 80%. */
export const readShare = (node: Syntax, what: string, context: ReadContext): number | undefined => {
  const share = numberOf(node) ?? parsePercent(textOf(node) ?? '')
  if (share !== undefined && share >= 0 && share <= 1) return share
  context.report.add(node, 'literal.range', `${what} must be a share like 80% or 0.8, not ${describe(node)}`, '80%')
  return undefined
}

/** A number of tokens or calls, also written as 20k or 1M. */
export const readAmount = (node: Syntax, what: string, context: ReadContext): number | undefined => {
  const amount = parseCount(textOf(node) ?? String(numberOf(node) ?? ''))
  if (amount === undefined)
    context.report.add(node, 'literal.range', `${what} must be a whole number like 800, 20k or 1M, not ${describe(node)}`, '20k')
  return amount
}

/** A number of bytes, also written as 64KB or 10MB. */
export const readSize = (node: Syntax, what: string, context: ReadContext): number | undefined => {
  const number = numberOf(node)
  const bytes = number !== undefined && Number.isSafeInteger(number) && number > 0 ? number : parseSize(textOf(node) ?? '')
  if (bytes === undefined)
    context.report.add(node, 'literal.range', `${what} must be a size like 64KB or 10MB, not ${describe(node)}`, '10MB')
  return bytes
}

/** A literal in which every 80% is the number 0.8: options of checks, defaults of numbers. */
export const withShares = (value: Json): Json => {
  if (typeof value === 'string') return parsePercent(value) ?? value
  if (Array.isArray(value)) return value.map(withShares)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withShares(item)]))
}
