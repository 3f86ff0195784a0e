// What every adapter of the bus must pass, whatever carries its messages. The promises B1 to B7 are those of `bus.ts`.
import { describe } from '@jest/globals'
import { deadLettersContract, letterChangesContract } from './contract/dead-letters.ts'
import { createSuite, type BusContract } from './contract/harness.ts'
import { drainContract, groupsContract, orderContract, redeliveryContract } from './contract/lanes.ts'
import { atRestContract, placesContract } from './contract/publish.ts'
import { batchesContract, positionsContract, rangeContract, tableContract } from './contract/readers.ts'
import { ladderContract, shortcutsContract } from './contract/retries.ts'

export type { BusContract, OpenedBus } from './contract/harness.ts'

const PARTS = {
  publish: [placesContract, atRestContract],
  lanes: [orderContract, redeliveryContract, drainContract, groupsContract],
  'retries and dead letters': [ladderContract, shortcutsContract, deadLettersContract, letterChangesContract],
  log: [positionsContract, batchesContract, rangeContract],
  table: [tableContract],
} as const

/** Runs the suite on an adapter; to be called at the top of a spec. */
export const busContract = (contract: BusContract): void => {
  describe(`${contract.name} keeps the promises of the bus`, () => {
    const suite = createSuite(contract)
    for (const [name, parts] of Object.entries(PARTS)) {
      describe(`${name}`, () => {
        for (const part of parts) part(suite)
      })
    }
  })
}
