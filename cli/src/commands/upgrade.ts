import { Command } from 'commander'
import { Fault } from '@baton/contracts'
import { ENGINE_VERSION } from '@baton/engine'
import { readEnvironment } from '@baton/service'
import { openPostgres, openStore } from '@baton/store'
import { show, type CommandContext } from './context.ts'

const CONNECT_TIMEOUT_MS = 3_000

/** `baton upgrade`: from now on new runs are decided by the engine of this binary. To be run when every process is new (L2). */
export const upgradeCommand = (context: CommandContext): Command =>
  new Command('upgrade')
    .description('give new runs the engine of this version; run it when every process has been replaced')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const { databaseUrl, config } = readEnvironment(process.env)
      if (databaseUrl === undefined)
        throw new Fault('config.invalid', 'DATABASE_URL is not set: a system of one process raises its engine by itself when it starts')
      const db = openPostgres({ url: databaseUrl, poolMax: 2, connectTimeoutMs: CONNECT_TIMEOUT_MS })
      try {
        const { leases } = await openStore(db)
        const before = await leases.engineVersion(config.topicPrefix)
        const engineVersion = await leases.raiseEngine({ prefix: config.topicPrefix, engineVersion: ENGINE_VERSION })
        if (engineVersion === undefined)
          throw new Fault('request.not_found', 'nothing is installed in this database yet: start routing first, it takes the newest engine')
        const result = { before, engineVersion }
        const text = (): string =>
          before === engineVersion
            ? `new runs have engine ${engineVersion} already`
            : `new runs get engine ${engineVersion} (before: ${before})`
        show(context, result, { ...options, text })
      } finally {
        await db.close()
      }
    })
