// Records that crash whoever applies them (DESIGN L10): what the ends of the owners before mean for the next one.
//   K1. After two owners in a row that died without moving the position, records are applied one at a time, each named in the lease
//       before it is touched, and committed before the next.
//   K2. A record is passed over only after it crashed its owner twice while it alone was applied; one owner that dies of something else
//       while a record is named does not condemn it.
//   K3. Suspicion ends where the crashed owners cannot have been: at the end of the log as it was found, or `REACH` records on.
import type { PartitionLease } from '@baton/store'

/** Crashes without progress after which records are applied one at a time. */
export const ALONE_AFTER_CRASHES = 2
/** Crashes of one record, applied alone, after which it is passed over. */
const STRIKES_MAX = 2
/** Records that an owner after a crash applies before its first commit: so far may the killer be from the position. */
export const REACH = 256

type Crashes = Pick<PartitionLease, 'next' | 'suspectOffset' | 'crashCount'>

/** Where care is needed. Offsets before `freeUntil` are applied as usual, those before `aloneUntil` one at a time; then all is as usual. */
export type Caution = { readonly freeUntil: number; readonly aloneUntil: number; readonly guilty: boolean }

/** What a new owner has to take care of; null when nothing. `logEnd` is the next offset of the log as it was when the partition was taken. */
export const cautionOf = ({ next, suspectOffset, crashCount }: Crashes, logEnd: number): Caution | null => {
  if (suspectOffset !== null && suspectOffset >= next) {
    const guilty = crashCount >= ALONE_AFTER_CRASHES + STRIKES_MAX // K2
    return { freeUntil: suspectOffset, aloneUntil: suspectOffset + 1, guilty }
  }
  if (crashCount === 0 || logEnd <= next) return null
  if (crashCount < ALONE_AFTER_CRASHES) return { freeUntil: next + REACH, aloneUntil: next + REACH, guilty: false }
  return { freeUntil: next, aloneUntil: Math.min(next + REACH, logEnd), guilty: false } // K1, K3
}

/** How a record is applied, and the first offset for which that ends. */
export const wayOf = (
  caution: Caution | null,
  offset: number,
): { readonly way: 'freely' | 'alone' | 'passed over'; readonly until: number } => {
  if (caution === null || offset >= caution.aloneUntil) return { way: 'freely', until: Number.POSITIVE_INFINITY }
  if (offset < caution.freeUntil) return { way: 'freely', until: caution.freeUntil }
  return { way: caution.guilty ? 'passed over' : 'alone', until: offset + 1 }
}

/** What the lease has to remember when applying failed in this process; `offset` is null when it is not known which record it was. */
export const afterCrash = (
  { suspectOffset, crashCount }: Crashes,
  { offset, certain }: { readonly offset: number | null; readonly certain: boolean },
): { readonly offset: number | null; readonly crashCount: number } => {
  if (offset === null) return { offset: null, crashCount: certain ? ALONE_AFTER_CRASHES : Math.min(crashCount + 1, ALONE_AFTER_CRASHES) }
  if (certain) return { offset, crashCount: ALONE_AFTER_CRASHES + STRIKES_MAX }
  return { offset, crashCount: offset === suspectOffset ? crashCount + 1 : ALONE_AFTER_CRASHES + 1 }
}
