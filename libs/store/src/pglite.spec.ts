import { jest } from '@jest/globals'
import { storeContract } from './contract.ts'
import { openPglite } from './pglite.adapter.ts'

jest.setTimeout(60_000)

storeContract({ name: 'PGlite in memory', open: () => openPglite() })
