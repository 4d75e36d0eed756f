import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Registry } from 'prom-client'
import type * as workerModule from '../../services/worker/src/worker.js'
import type * as metricsModule from '../../services/worker/src/observe/metrics.js'
import type { WorkerMetrics } from '../../services/worker/src/observe/metrics.js'
import type * as coreModule from '../../services/api/src/core.js'
import type * as storeModule from '../../services/api/src/enqueue/redis-post-store.js'
import type * as environmentModule from '../../shared/src/config/environment.js'
import type * as vocabularyModule from '../../services/api/src/validate/vocabulary.js'
import type * as pauseModule from '../../services/api/src/admin/pause.js'
import type * as operatorsLettersModule from '../../services/api/src/admin/letters.js'
import type * as selectionModule from '../../services/api/src/admin/selection.js'
import type * as eraserModule from '../../services/api/src/admin/eraser.js'
import type * as lettersModule from '../../shared/src/dead-letters/dead-letter-store.js'
import type * as tracesModule from '../../shared/src/trace/trace-store.js'
import type * as erasuresModule from '../../shared/src/erasure/erasure-store.js'

/** What the simulation runs of relay, with what the operator API does without its HTTP. */
const MODULES = [
  'services/worker/dist/worker.js',
  'services/api/dist/core.js',
  'services/api/dist/enqueue/redis-post-store.js',
  'services/api/dist/validate/vocabulary.js',
  ...['pause', 'letters', 'selection', 'eraser'].map(
    (name) => `services/api/dist/admin/${name}.js`,
  ),
  'shared/dist/config/environment.js',
  'shared/dist/dead-letters/dead-letter-store.js',
  'shared/dist/trace/trace-store.js',
  'shared/dist/erasure/erasure-store.js',
]
export type Relay = typeof workerModule &
  typeof coreModule &
  typeof storeModule &
  typeof vocabularyModule &
  typeof pauseModule &
  typeof operatorsLettersModule &
  typeof selectionModule &
  typeof eraserModule &
  typeof environmentModule &
  typeof lettersModule &
  typeof tracesModule &
  typeof erasuresModule & {
    /** Nothing reads them; one for all workers of a process. */
    readonly metrics: WorkerMetrics
  }

/** relay as built in `root`: the checkout, or a variant of it. */
export async function loadRelay(root: string): Promise<Relay> {
  const load = (path: string): Promise<object> => import(pathToFileURL(join(root, path)).href)
  const modules = await Promise.all(MODULES.map(load))
  const { createWorkerMetrics } = (await load(
    'services/worker/dist/observe/metrics.js',
  )) as typeof metricsModule
  return Object.assign({}, ...modules, { metrics: createWorkerMetrics(new Registry()) }) as Relay
}
