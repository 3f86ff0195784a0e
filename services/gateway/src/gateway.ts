import { TOPICS } from '@baton/contracts'
import { startHost, type RunningService, type StartService } from '@baton/service'
import type { TableReader } from '@baton/bus/bus'
import { ApiController } from './api/api.controller.ts'
import { DeadLetterController } from './dead-letters/dead-letter.controller.ts'
import { FlowCatalog } from './flows/flow-catalog.ts'
import { FlowController } from './flows/flow.controller.ts'
import { publishFlows } from './flows/flow-publisher.ts'
import { AliasController } from './flows/alias.controller.ts'
import { ParamController } from './params/param.controller.ts'
import { ForwardController } from './forward/forward.controller.ts'
import { createIntake } from './intake/intake.ts'
import { RequestConsumer } from './intake/request.consumer.ts'
import { JobController } from './runs/job.controller.ts'
import { createJobRunner } from './runs/job-runner.ts'
import { RunControlController } from './runs/run-control.controller.ts'
import { RunController } from './runs/run.controller.ts'
import { RunEventsController } from './runs/run-events.controller.ts'
import { createTopicWatch } from './runs/topic-watch.ts'
import { CATALOG, INTAKE, JOBS, JOURNAL, RESULTS } from './tokens.ts'

/** Starts the gateway: publishes the flows of its folder, then takes requests from topic and HTTP. */
export const start: StartService = async (platform, { port, host }): Promise<RunningService> => {
  const { bus, stores, nowMs } = platform
  const logger = platform.telemetry.logger.child({ service: 'gateway' })
  const catalog = new FlowCatalog({
    flows: stores.flows,
    params: stores.params,
    nowMs,
    environment: platform.config.environment,
    onMisfit: (misfit) => logger.warn(misfit, 'override of a param left out'),
  })
  const results = createTopicWatch({ bus, topic: TOPICS.results, logger })
  const journal = createTopicWatch({ bus, topic: TOPICS.journal, logger })
  const jobs = createJobRunner(platform)
  let config: TableReader | undefined
  await publishFlows(platform)
  return startHost({
    name: 'gateway',
    platform,
    port,
    host,
    controllers: [
      RequestConsumer,
      RunController,
      RunControlController,
      JobController,
      RunEventsController,
      FlowController,
      AliasController,
      ParamController,
      DeadLetterController,
      ForwardController,
      ApiController,
    ],
    providers: [
      { provide: INTAKE, useValue: createIntake({ platform, catalog }) },
      { provide: CATALOG, useValue: catalog },
      { provide: RESULTS, useValue: results },
      { provide: JOURNAL, useValue: journal },
      { provide: JOBS, useValue: jobs },
    ],
    started: async () => {
      config = await bus.table({ topic: TOPICS.config, onRecord: () => catalog.forget() })
      jobs.start()
    },
    drain: async () => {
      await Promise.all([config?.close(), results.close(), journal.close(), jobs.close()])
    },
  })
}
