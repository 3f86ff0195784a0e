import { TOPICS } from '@baton/contracts'
import { startHost, type RunningService, type StartService } from '@baton/service'
import type { TableReader } from '@baton/bus/bus'
import { ApiController } from './api/api.controller.ts'
import { ConfigController } from './config/config.controller.ts'
import { DeadLetterController } from './dead-letters/dead-letter.controller.ts'
import { createLetterDesk } from './dead-letters/letter-desk.ts'
import { letterJobs } from './dead-letters/letter-job.ts'
import { FlowCatalog } from './flows/flow-catalog.ts'
import { FlowController } from './flows/flow.controller.ts'
import { publishFlows } from './flows/flow-publisher.ts'
import { AliasController } from './flows/alias.controller.ts'
import { PayloadController } from './payloads/payload.controller.ts'
import { ParamController } from './params/param.controller.ts'
import { ForwardController } from './forward/forward.controller.ts'
import { keyedEventCheck } from './events/event-check.ts'
import { createEventDelivery } from './events/event-delivery.ts'
import { EventController } from './events/event.controller.ts'
import { createIntake } from './intake/intake.ts'
import { RequestConsumer } from './intake/request.consumer.ts'
import { JobController } from './jobs/job.controller.ts'
import { createJobRunner } from './jobs/job-runner.ts'
import { BulkController } from './runs/bulk.controller.ts'
import { controlJobs } from './runs/control-job.ts'
import { RunControlController } from './runs/run-control.controller.ts'
import { RunController } from './runs/run.controller.ts'
import { InboxController } from './inbox/inbox.controller.ts'
import { ReviewEventsController } from './reviews/review-events.controller.ts'
import { RunEventsController } from './runs/run-events.controller.ts'
import { createTopicWatch } from './runs/topic-watch.ts'
import { StreamController } from './stream/stream.controller.ts'
import { CATALOG, DESK, EVENTS, INTAKE, JOBS, JOURNAL, PIECES, RESULTS, TRIGGERS } from './tokens.ts'
import { HookController } from './triggers/hook.controller.ts'
import { TriggerController } from './triggers/trigger.controller.ts'
import { Triggers } from './triggers/triggers.ts'

/** Behind the static paths of reviews come those that hitl answers. */
const INBOX = [InboxController, ReviewEventsController] as const

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
  const watches = [TOPICS.results, TOPICS.journal, TOPICS.stream].map((topic) => createTopicWatch({ bus, topic, logger }))
  const [results, journal, pieces] = watches
  const desk = createLetterDesk(platform)
  const jobs = createJobRunner(platform, { kinds: [controlJobs(platform), letterJobs({ ...platform, desk })] })
  const events = createEventDelivery(platform, keyedEventCheck(platform, catalog))
  const intake = createIntake({ platform, catalog })
  const triggers = new Triggers({ platform, intake })
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
      BulkController,
      JobController,
      EventController,
      PayloadController,
      RunEventsController,
      StreamController,
      FlowController,
      AliasController,
      ParamController,
      DeadLetterController,
      TriggerController,
      HookController,
      ConfigController,
      ...INBOX,
      ForwardController,
      ApiController,
    ],
    providers: [
      { provide: INTAKE, useValue: intake },
      { provide: TRIGGERS, useValue: triggers },
      { provide: CATALOG, useValue: catalog },
      { provide: RESULTS, useValue: results },
      { provide: JOURNAL, useValue: journal },
      { provide: PIECES, useValue: pieces },
      { provide: JOBS, useValue: jobs },
      { provide: DESK, useValue: desk },
      { provide: EVENTS, useValue: events },
    ],
    started: async () => {
      config = await bus.table({ topic: TOPICS.config, onRecord: ({ key }) => (catalog.forget(), triggers.changed(key)) })
      await triggers.settle()
      jobs.start()
      desk.start()
      events.start()
    },
    drain: async () => {
      await triggers.close()
      await Promise.all([config?.close(), ...watches.map((watch) => watch.close()), jobs.close(), desk.close(), events.close()])
    },
  })
}
