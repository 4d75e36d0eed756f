import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Registry } from 'prom-client'

type Load<T> = Promise<T>

/** relay as built in `root`: the checkout, or a variant of it. */
export async function loadRelay(root: string) {
  const load = <T>(path: string): Load<T> => import(pathToFileURL(join(root, path)).href) as Load<T>
  const [worker, metrics, core, store, environment] = await Promise.all([
    load<typeof import('../../services/worker/src/worker.js')>('services/worker/dist/worker.js'),
    load<typeof import('../../services/worker/src/observe/metrics.js')>('services/worker/dist/observe/metrics.js'), // prettier-ignore
    load<typeof import('../../services/api/src/core.js')>('services/api/dist/core.js'),
    load<typeof import('../../services/api/src/enqueue/redis-post-store.js')>('services/api/dist/enqueue/redis-post-store.js'), // prettier-ignore
    load<typeof import('../../shared/src/config/environment.js')>('shared/dist/config/environment.js'), // prettier-ignore
  ])
  const admin = await loadAdmin(load)
  const vocabulary = await load<typeof import('../../services/api/src/validate/vocabulary.js')>('services/api/dist/validate/vocabulary.js') // prettier-ignore
  return {
    Worker: worker.Worker,
    openCore: core.openCore,
    ADD_TIMEOUT_MS: store.ADD_TIMEOUT_MS,
    parseEnvironment: environment.parseEnvironment,
    /** Nothing reads them; one for all workers of a process. */
    metrics: metrics.createWorkerMetrics(new Registry()),
    ...admin,
    vocabularyOf: vocabulary.vocabularyOf,
  }
}

/** What the operator API does, without its HTTP. */
async function loadAdmin(load: <T>(path: string) => Load<T>) {
  const [pause, replay, purge, selected, eraser, letters, traces, erasures, forget] =
    await Promise.all([
      load<typeof import('../../services/api/src/admin/pause.js')>('services/api/dist/admin/pause.js'), // prettier-ignore
      load<typeof import('../../services/api/src/admin/replay.js')>('services/api/dist/admin/replay.js'), // prettier-ignore
      load<typeof import('../../services/api/src/admin/purge.js')>('services/api/dist/admin/purge.js'), // prettier-ignore
      load<typeof import('../../services/api/src/admin/selected.js')>('services/api/dist/admin/selected.js'), // prettier-ignore
      load<typeof import('../../services/api/src/admin/eraser.js')>('services/api/dist/admin/eraser.js'), // prettier-ignore
      load<typeof import('../../shared/src/dead-letters/dead-letter-store.js')>('shared/dist/dead-letters/dead-letter-store.js'), // prettier-ignore
      load<typeof import('../../shared/src/trace/trace-store.js')>('shared/dist/trace/trace-store.js'), // prettier-ignore
      load<typeof import('../../shared/src/erasure/erasure-store.js')>('shared/dist/erasure/erasure-store.js'), // prettier-ignore
      load<typeof import('../../services/api/src/admin/forget.js')>('services/api/dist/admin/forget.js'), // prettier-ignore
    ])
  return {
    ...{ setPaused: pause.setPaused, replay: replay.replay, purge: purge.purge },
    ...{ selected: selected.selected, Eraser: eraser.Eraser, parseForget: forget.parseForget },
    ...{ DeadLetterStore: letters.DeadLetterStore, TraceStore: traces.TraceStore },
    ErasureStore: erasures.ErasureStore,
  }
}

export type Relay = Awaited<ReturnType<typeof loadRelay>>
