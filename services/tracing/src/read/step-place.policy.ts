// Where a step hangs in its run. Its path says it: `signals/unsafe`, `findings[17]/ballot`, `clerk/turn[2]/call[0]`, `undo/charge`.
import { COMPOSED_PARTS, isComposed } from './step-kind.policy.ts'

/**
 * The place around a place; undefined at the top. A number counts the parts of the step it follows (`findings[17]` of `findings`), if
 * there is such a step; else it belongs to a name (`turn[2]` of an agent).
 */
export const parentOf = (path: string, isStep: (path: string) => boolean): string | undefined => {
  if (path.endsWith(']')) {
    const base = path.slice(0, path.lastIndexOf('['))
    if (isStep(base)) return base
  }
  const slash = path.lastIndexOf('/')
  return slash < 0 ? undefined : path.slice(0, slash)
}

/** What a place is that is no step itself, by what it is part of. */
export const groupKind = (path: string, parentKind: string | undefined): string => {
  if (path === 'undo') return 'undo'
  return parentKind !== undefined && isComposed(parentKind) ? COMPOSED_PARTS[parentKind] : 'group'
}
