import { aliasRepository } from './alias.repository.ts'
import { answerRepository } from './answer.repository.ts'
import { budgetRepository } from './budget.repository.ts'
import type { Database } from './database.ts'
import { deadLetterRepository } from './dead-letter.repository.ts'
import { effectRepository } from './effect.repository.ts'
import { eventInboxRepository } from './event-inbox.repository.ts'
import { flowRepository } from './flow.repository.ts'
import { jobRepository } from './job.repository.ts'
import { leaseRepository } from './lease.repository.ts'
import { cooldownRepository, limitRepository } from './limit.repository.ts'
import { compareMigrations, migrate, type Migration } from './migrate.ts'
import { eventInbox } from './migrations/event-inbox.ts'
import { deadLetterKinds } from './migrations/dead-letter-kinds.ts'
import { flowLifecycle } from './migrations/flow-lifecycle.ts'
import { flows } from './migrations/flows.ts'
import { jobs } from './migrations/jobs.ts'
import { leaseCrashes } from './migrations/lease-crashes.ts'
import { leaseLocks } from './migrations/lease-locks.ts'
import { leases } from './migrations/leases.ts'
import { memory } from './migrations/memory.ts'
import { modelMoney } from './migrations/model-money.ts'
import { payloads } from './migrations/payloads.ts'
import { retention } from './migrations/retention.ts'
import { runs } from './migrations/runs.ts'
import { starts } from './migrations/starts.ts'
import { triggers } from './migrations/triggers.ts'
import { work } from './migrations/work.ts'
import { memoryRepository } from './memory.repository.ts'
import { modelCacheRepository } from './model-cache.repository.ts'
import { paramRepository } from './param.repository.ts'
import { payloadRepository } from './payload.repository.ts'
import type { Stores } from './ports.ts'
import { retentionRepository } from './retention.repository.ts'
import { runRepository } from './run.repository.ts'
import { sessionRepository } from './session.repository.ts'
import { startRepository } from './start.repository.ts'
import { triggerRepository } from './trigger.repository.ts'

const MIGRATIONS: readonly Migration[] = [
  runs,
  leases,
  starts,
  payloads,
  flows,
  work,
  leaseCrashes,
  leaseLocks,
  flowLifecycle,
  jobs,
  triggers,
  retention,
  eventInbox,
  deadLetterKinds,
  modelMoney,
  memory,
]

/** Runs the migrations that are missing and gives every port. Safe to call from several processes at once. */
export const openStore = async (db: Database): Promise<Stores> => {
  await migrate(db, { scope: 'baton', migrations: MIGRATIONS })
  return {
    runs: runRepository(db),
    leases: leaseRepository(db),
    starts: startRepository(db),
    payloads: payloadRepository(db),
    flows: flowRepository(db),
    aliases: aliasRepository(db),
    params: paramRepository(db),
    answers: answerRepository(db),
    effects: effectRepository(db),
    triggers: triggerRepository(db),
    jobs: jobRepository(db),
    deadLetters: deadLetterRepository(db),
    eventInbox: eventInboxRepository(db),
    retention: retentionRepository(db),
    budgets: budgetRepository(db),
    limits: limitRepository(db),
    cooldowns: cooldownRepository(db),
    modelCache: modelCacheRepository(db),
    sessions: sessionRepository(db),
    memories: memoryRepository(db),
  }
}

/** What opening the store would do to the database, without doing it. */
export const inspectStore = (db: Database): ReturnType<typeof compareMigrations> =>
  compareMigrations(db, { scope: 'baton', migrations: MIGRATIONS })
