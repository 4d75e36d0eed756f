import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Registry } from 'prom-client'
import type * as workerModule from '../../services/worker/src/worker.js'
import type * as workerMetricsModule from '../../services/worker/src/observe/metrics.js'
import type * as coreModule from '../../services/api/src/core.js'
import type * as storeModule from '../../services/api/src/enqueue/redis-post-store.js'
import type * as environmentModule from '../../shared/src/config/environment.js'
import type * as vocabularyModule from '../../services/api/src/validate/vocabulary.js'
import type * as pauseModule from '../../services/api/src/admin/pause.js'
import type * as replayModule from '../../services/api/src/admin/replay.js'
import type * as purgeModule from '../../services/api/src/admin/purge.js'
import type * as selectedModule from '../../services/api/src/admin/selected.js'
import type * as eraserModule from '../../services/api/src/admin/eraser.js'
import type * as forgetModule from '../../services/api/src/admin/forget.js'
import type * as lettersModule from '../../shared/src/dead-letters/dead-letter-store.js'
import type * as tracesModule from '../../shared/src/trace/trace-store.js'
import type * as erasuresModule from '../../shared/src/erasure/erasure-store.js'

/** relay as built in `root`: the checkout, or a variant of it. */
export async function loadRelay(root: string) {
  const load = async <T>(path: string) => (await import(pathToFileURL(join(root, path)).href)) as T
  const [{ Worker }, metrics, { openCore }, store, { parseEnvironment }, admin] = await Promise.all(
    [
      load<typeof workerModule>('services/worker/dist/worker.js'),
      load<typeof workerMetricsModule>('services/worker/dist/observe/metrics.js'),
      load<typeof coreModule>('services/api/dist/core.js'),
      load<typeof storeModule>('services/api/dist/enqueue/redis-post-store.js'),
      load<typeof environmentModule>('shared/dist/config/environment.js'),
      loadAdmin(load),
    ],
  )
  return {
    ...{ Worker, openCore, parseEnvironment, ADD_TIMEOUT_MS: store.ADD_TIMEOUT_MS },
    /** Nothing reads them; one for all workers of a process. */
    metrics: metrics.createWorkerMetrics(new Registry()),
    ...admin,
  }
}

/** What the operator API does, without its HTTP. */
async function loadAdmin(load: <T>(path: string) => Promise<T>) {
  const at = 'services/api/dist/admin'
  const modules = await Promise.all([
    load<typeof pauseModule>(`${at}/pause.js`),
    load<typeof replayModule>(`${at}/replay.js`),
    load<typeof purgeModule>(`${at}/purge.js`),
    load<typeof selectedModule>(`${at}/selected.js`),
    load<typeof eraserModule>(`${at}/eraser.js`),
    load<typeof forgetModule>(`${at}/forget.js`),
    load<typeof vocabularyModule>('services/api/dist/validate/vocabulary.js'),
    load<typeof lettersModule>('shared/dist/dead-letters/dead-letter-store.js'),
    load<typeof tracesModule>('shared/dist/trace/trace-store.js'),
    load<typeof erasuresModule>('shared/dist/erasure/erasure-store.js'),
  ])
  const [
    { setPaused },
    { replay },
    { purge },
    { selected },
    { Eraser },
    { parseForget },
    ...stores
  ] = modules
  const [{ vocabularyOf }, { DeadLetterStore }, { TraceStore }, { ErasureStore }] = stores
  return {
    ...{ setPaused, replay, purge, selected, Eraser, parseForget, vocabularyOf },
    ...{ DeadLetterStore, TraceStore, ErasureStore },
  }
}

export type Relay = Awaited<ReturnType<typeof loadRelay>>
