// Filters on what documents say of themselves (`meta`), evaluated inside the query.
//   F1. All conditions must hold; a document without the field does not fit.
//   F2. Only a literal of the right shape is a condition: what a filter means never depends on a document.
import { Fault, isJsonObject, type Json, type JsonObject } from '@baton/contracts'

type Op = 'in' | 'gte' | 'lte' | 'gt' | 'lt'
/** `path` is the field, a dot for each level. */
export type Condition = { readonly path: readonly string[]; readonly op: Op; readonly value: Json }
/** What documents must fit. `newerThanMs`: when their source changed last. */
export type DocumentFilter = { readonly conditions: readonly Condition[]; readonly newerThanMs: number | null }

/** Fits every document. */
export const NO_FILTER: DocumentFilter = { conditions: [], newerThanMs: null }

const CONDITIONS_MAX = 20
const OPS: readonly Op[] = ['gte', 'lte', 'gt', 'lt']
const isScalar = (value: Json): value is string | number | boolean => ['string', 'number', 'boolean'].includes(typeof value)
const isOp = (word: string): word is Op => OPS.some((op) => op === word)

const wrong = (field: string, reason: string): Fault => new Fault('request.malformed', `filter: ${field}: ${reason}`, { field })

const conditionsOf = (field: string, wanted: Json): readonly Condition[] => {
  const path = field.split('.')
  if (isScalar(wanted)) return [{ path, op: 'in', value: [wanted] }]
  if (Array.isArray(wanted)) {
    if (wanted.length === 0 || !wanted.every(isScalar)) throw wrong(field, 'a list names one value or more')
    return [{ path, op: 'in', value: wanted }]
  }
  if (!isJsonObject(wanted)) throw wrong(field, 'a value, a list of values, or { gte, gt, lte, lt }')
  return Object.entries(wanted).map(([op, value]) => {
    if (!isOp(op)) throw wrong(field, `${op} is none of gte, gt, lte, lt`)
    if (typeof value !== 'number' && typeof value !== 'string') throw wrong(field, `${op} compares numbers or texts`)
    return { path, op, value }
  })
}

/** `{ product: card, lang: [en, de], year: { gte: 2024 } }` as conditions. Throws `request.malformed`. */
export const readFilter = (filter: JsonObject): readonly Condition[] => {
  const conditions = Object.entries(filter).flatMap(([field, wanted]) => conditionsOf(field, wanted)) // F2
  if (conditions.length > CONDITIONS_MAX) throw wrong('filter', `more than ${CONDITIONS_MAX} conditions`)
  return conditions
}

const MATCHES = `case f.op
    when 'in' then exists (select 1 from jsonb_array_elements(f.value) as wanted where wanted = found.value or found.value @> jsonb_build_array(wanted))
    when 'gte' then jsonb_typeof(found.value) = jsonb_typeof(f.value) and found.value >= f.value
    when 'lte' then jsonb_typeof(found.value) = jsonb_typeof(f.value) and found.value <= f.value
    when 'gt' then jsonb_typeof(found.value) = jsonb_typeof(f.value) and found.value > f.value
    when 'lt' then jsonb_typeof(found.value) = jsonb_typeof(f.value) and found.value < f.value
  end`

/** SQL that says whether the document `d` fits; the two parameters are those of `filterParams`. */
export const filterSql = (
  conditions: `$${number}`,
  newerThan: `$${number}`,
): string => `(${newerThan}::bigint is null or d.source_at_ms >= ${newerThan}::bigint)
  and (${conditions}::jsonb is null or not exists (
    select 1 from jsonb_to_recordset(${conditions}::jsonb) as f (path text[], op text, value jsonb)
      cross join lateral (select d.meta::jsonb #> f.path as value) as found
    where not coalesce(${MATCHES}, false)))`

/** Parameters for `filterSql`. */
export const filterParams = ({ conditions, newerThanMs }: DocumentFilter): readonly [string | null, number | null] => [
  conditions.length === 0 ? null : JSON.stringify(conditions),
  newerThanMs,
]

/** Whether a filter lets every document through. */
export const isOpen = ({ conditions, newerThanMs }: DocumentFilter): boolean => conditions.length === 0 && newerThanMs === null
