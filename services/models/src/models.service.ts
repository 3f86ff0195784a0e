import type { TableReader } from '@baton/bus/bus'
import { TOPICS } from '@baton/contracts'
import { createWorker, startHost, type StartService, type WorkHandler } from '@baton/service'
import type { StepCommand } from '@baton/contracts'
import type { PieceSink } from './attempts/dispatch.ts'
import { LIMITS_VIEW, LimitsController } from './attempts/limits.controller.ts'
import { openAttempts } from './attempts/open-attempts.ts'
import { pieceGuard, type Shown } from './stream/guarded-pieces.ts'
import { openPieces } from './stream/piece-stream.ts'
import { isStreamed } from './stream/stream-rule.policy.ts'
import { agentHandler } from './agent/agent-invoke.ts'
import { modelsOf } from './agent/agent-work.ts'
import { CATALOGUE, CatalogueController, LIVE_FACTS } from './catalogue/catalogue.controller.ts'
import { openCatalogue } from './catalogue/open-catalogue.ts'
import { createContextReader } from './context/context-reader.ts'
import { EMBEDDERS, EmbeddingsController } from './embeddings/embeddings.controller.ts'
import { invokeHandler } from './invoke/invoke.ts'
import { MemoryController } from './memory/memory.controller.ts'
import { sweepSessions } from './memory/session-sweep.ts'
import { SessionTurnsConsumer } from './memory/session-turns.consumer.ts'

/** The models service: takes `model.invoke`. Answers of models that cost money are kept before they are published (L9). */
export const start: StartService = async (platform, { port, host }) => {
  const catalogue = await openCatalogue(platform)
  const open = await openAttempts(platform, catalogue)
  const { attempts, cache, limits } = open
  const clockMs = (): number => performance.now()
  const pieces = (command: StepCommand, { returns, guard = [] }: Shown, delivery: number): PieceSink | undefined => {
    const guarded = isStreamed(limits.stream, command, returns) ? pieceGuard(guard) : undefined
    return guarded?.(openPieces({ bus: platform.bus, command, delivery }))
  }
  const sees = createContextReader({ sessions: platform.stores.sessions, resolve: (names) => catalogue.resolve(names) })
  const step = invokeHandler({
    sees,
    catalogue,
    attempts,
    cache,
    pieces,
    clockMs,
  })
  const turn = agentHandler(platform, { attempts, pieces, sees, clockMs })
  const invoke: WorkHandler = (command, context) =>
    command.turn === undefined ? step(command, context) : turn({ ...command, turn: command.turn }, context)
  const worker = createWorker({
    platform,
    service: 'models',
    handlers: { 'model.invoke': invoke },
    keepAnswer: (command, node, plan) => {
      if (command.turn !== undefined) return catalogue.spends(modelsOf(command, plan))
      return node.kind === 'model' && catalogue.spends(command.override?.models ?? node.models)
    },
  })
  const endSweep = sweepSessions(platform)
  let config: TableReader | undefined
  return startHost({
    name: 'models',
    platform,
    port,
    host,
    controllers: [worker, MemoryController, SessionTurnsConsumer, CatalogueController, LimitsController, EmbeddingsController],
    providers: [
      { provide: CATALOGUE, useValue: catalogue },
      { provide: LIVE_FACTS, useValue: () => attempts.live() },
      { provide: LIMITS_VIEW, useValue: open },
      { provide: EMBEDDERS, useValue: catalogue.embedder },
    ],
    started: async () => {
      config = await platform.bus.table({ topic: TOPICS.config, onRecord: (record) => void catalogue.take(record) })
      await config.ready
    },
    drain: async () => {
      endSweep()
      await open.close()
      await config?.close()
    },
  })
}
