// The contract of every port, for both databases. A spec calls it with how to open one.
import { afterAll, beforeAll, describe } from '@jest/globals'
import { databaseContract } from './contract/database.contract.ts'
import { deadLetterContract } from './contract/dead-letter.contract.ts'
import { leaseContract } from './contract/lease.contract.ts'
import { eventInboxContract } from './contract/event-inbox.contract.ts'
import { jobContract } from './contract/job.contract.ts'
import { keepContract } from './contract/keep.contract.ts'
import { lifecycleContract } from './contract/lifecycle.contract.ts'
import { modelMoneyContract } from './contract/model-money.contract.ts'
import { memoryContract } from './contract/memory.contract.ts'
import { retentionContract } from './contract/retention.contract.ts'
import { runContract } from './contract/run.contract.ts'
import { triggerContract } from './contract/trigger.contract.ts'
import type { Database } from './database.ts'
import { openStore } from './open-store.ts'
import type { Stores } from './ports.ts'

/** What the tests of a contract use; readable once the suite runs. */
export type StoreUnderTest = { readonly db: Database; readonly stores: Stores }

/** Declares the suite. `open` is called once; the database may hold data of others, because every test uses ids of its own. */
export const storeContract = (options: {
  readonly name: string
  readonly open: () => Promise<Database>
  readonly openTimeoutMs?: number
}): void => {
  describe(`store on ${options.name}`, () => {
    let opened: StoreUnderTest | undefined
    const get = (): StoreUnderTest => {
      if (opened === undefined) throw new Error('the store is opened before the first test')
      return opened
    }
    beforeAll(async () => {
      const db = await options.open()
      opened = { db, stores: await openStore(db) }
    }, options.openTimeoutMs ?? 60_000)
    afterAll(() => opened?.db.close())
    databaseContract(get)
    runContract(get)
    leaseContract(get)
    keepContract(get)
    lifecycleContract(get)
    triggerContract(get)
    jobContract(get)
    deadLetterContract(get)
    eventInboxContract(get)
    retentionContract(get)
    memoryContract(get)
    modelMoneyContract(get)
  })
}
