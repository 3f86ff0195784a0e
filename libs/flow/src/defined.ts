type Maybe<T> = { [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> }
type Sure<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] }

/** The fields that have a value: an optional field that is absent is not the same as one that is undefined. */
export const defined = <T extends object>(fields: T): Sure<T> & Maybe<T> => {
  const kept = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
  // What was filtered out is what the type makes optional.
  return kept as Sure<T> & Maybe<T>
}
