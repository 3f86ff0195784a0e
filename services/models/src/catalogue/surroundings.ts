import type { ServiceConfig } from '@baton/service'
import type { Embedders } from '../embeddings/embedder.ts'
import type { OnServed } from './sameness.ts'
import type { LearnedRoutes } from '../routes/learned-routes.ts'

/** What the catalogue needs to know of where it runs. */
export type Surroundings = Pick<ServiceConfig, 'flowsDir' | 'openai'> & {
  readonly openaiModel?: string
  readonly nowMs: () => number
  /** Where `baton models pull` puts weights. */
  readonly modelsDir?: string
  /** Embedding models of that folder, each loaded once however often the catalogue is exchanged. */
  readonly localEmbedders?: Embedders
  /** Variables that servers of the catalogue name for their address and key. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Told what answered, where a provider says so (B19). */
  readonly onServed?: OnServed
  /** Opens artefacts of learned routes and cascades; absent: routes that name them are walked as listed. */
  readonly learned?: LearnedRoutes
}
