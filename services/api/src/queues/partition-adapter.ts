import { BaseAdapter } from '@bull-board/api/dist/queueAdapters/base.js'
import type { JobStatus, QueueJob, QueueMetrics, Status } from '@bull-board/api/typings/app'
import type { WaitingJob, WaitingQueue, WaitingQueues } from './waiting-queues.js'

const WAITING = 'waiting'

/**
 * A partition as bull-board shows a queue. It reads through `WaitingQueues` and not through a BullMQ
 * `Queue`, which writes when it is opened and costs 13 KB each; whatever would change something
 * rejects.
 */
export class PartitionAdapter extends BaseAdapter {
  readonly #queue: WaitingQueue
  readonly #source: WaitingQueues

  constructor(queue: WaitingQueue, source: WaitingQueues) {
    const { appId, lane, generation, index } = queue.partition
    super('bullmq', {
      readOnlyMode: true,
      // The board groups by it: workspace, lane, generation, partition.
      delimiter: '/',
      description: `${appId}, ${lane} lane, generation ${String(generation)}, partition ${String(index)}`,
    })
    this.#queue = queue
    this.#source = source
  }

  getName = () => this.#queue.tag
  getStatuses = (): Status[] => [WAITING]
  getJobStatuses = (): JobStatus[] => [WAITING]

  async getJobCounts() {
    return { [WAITING]: await this.#source.count(this.#queue.tag) } as never
  }

  async getJobs(_statuses: JobStatus[], start = 0, end = 0): Promise<QueueJob[]> {
    const jobs = await this.#source.jobs(this.#queue.tag, start, end)
    return jobs.map(shown)
  }

  async getJob(id: string): Promise<QueueJob | null> {
    const job = await this.#source.job(this.#queue.tag, id)
    return job === null ? null : shown(job)
  }

  // relay uses none of these of BullMQ.
  getJobLogs = () => Promise.resolve([])
  getMetrics = () => Promise.resolve(NO_METRICS)
  getRedisInfo = () => Promise.resolve('')
  isPaused = () => Promise.resolve(false)
  getJobSchedulers = () => Promise.resolve([])
  getJobSchedulersCount = () => Promise.resolve(0)
  getGlobalConcurrency = () => Promise.resolve(null)

  clean = refused
  addJob = refused
  pause = refused
  resume = refused
  empty = refused
  obliterate = refused
  promoteAll = refused
  removeJobScheduler = refused
  updateJobScheduler = refused
  runJobSchedulerNow = refused
  setGlobalConcurrency = refused
}

const NO_METRICS: QueueMetrics = { meta: { count: 0, prevTS: 0, prevCount: 0 }, data: [], count: 0 }

function refused(): Promise<never> {
  return Promise.reject(new Error('The queue view changes nothing'))
}

/** A chunk in the shape of a BullMQ job: how much of what, never what. */
function shown({ id, addedAtMs, ...amounts }: WaitingJob): QueueJob {
  const { users, events, devices } = amounts
  return {
    opts: {},
    promote: refused,
    remove: refused,
    retry: refused,
    getState: () => Promise.resolve(WAITING),
    toJSON: () => ({
      ...{ id, name: elementsText(users + events + devices), timestamp: addedAtMs },
      ...{ data: amounts, opts: {}, progress: 0, attemptsMade: 0, failedReason: '' },
      ...{ stacktrace: [], returnvalue: null },
    }),
  }
}

function elementsText(count: number): string {
  return count === 1 ? '1 element' : `${String(count)} elements`
}
