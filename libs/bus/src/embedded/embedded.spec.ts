import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from '@jest/globals'
import { busContract } from '../contract.ts'
import { openEmbeddedBus } from './embedded-bus.ts'

const root = mkdtempSync(join(tmpdir(), 'baton-bus-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

busContract({
  name: 'the embedded bus',
  open: async (topics) => {
    const dir = mkdtempSync(join(root, 'log-'))
    return { bus: await openEmbeddedBus({ dir, topics }), reopen: async () => openEmbeddedBus({ dir, topics }) }
  },
})
