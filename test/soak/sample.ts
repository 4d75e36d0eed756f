import { loadavg } from 'node:os'
import { askRedis } from '@relay/tools/process/redis-server.js'
import { processFacts } from '@relay/tools/process/facts.js'
import { metricsOf, opsUrlOf, sumOf, type Relay } from '../support/relay.js'

/** What is measured at one moment. */
export interface Sample {
  readonly atMs: number
  readonly apiMiB: number
  readonly workerMiB: number
  readonly redisMiB: number
  readonly apiDescriptors: number
  readonly workerDescriptors: number
  readonly redisKeys: number
  readonly backlog: number
  readonly deadLetters: number
  /** Mean from acceptance to MoEngage's yes of what was delivered since the last sample; null: nothing was. */
  readonly latencyMs: number | null
  /** Of the whole machine, over the last minute. */
  readonly loadAverage: number
}

/** Running totals of the delivery histogram. */
interface Delivered {
  readonly seconds: number
  readonly elements: number
}

const MIB = 1_048_576

/** Takes samples of one relay; its first worker is the one that is never killed. */
export class Sampler {
  readonly #relay: Relay
  readonly #nowMs: () => number
  readonly #startedMs: number
  #before: Delivered = { seconds: 0, elements: 0 }

  constructor(relay: Relay, nowMs: () => number) {
    this.#relay = relay
    this.#nowMs = nowMs
    this.#startedMs = nowMs()
  }

  async take(): Promise<Sample> {
    const [worker] = this.#relay.workers
    if (worker === undefined) throw new Error('there is no worker to look at')
    const api = processFacts(this.#relay.api.pid)
    const first = processFacts(worker.pid)
    const [apiText, workerText, keys] = await Promise.all([
      metricsOf(this.#relay.opsUrl),
      metricsOf(opsUrlOf(worker)),
      askRedis(this.#relay.redis.port, 'DBSIZE'),
    ])
    return {
      atMs: this.#nowMs() - this.#startedMs,
      apiMiB: api.residentMiB,
      workerMiB: first.residentMiB,
      redisMiB: sumOf(apiText, /^relay_redis_memory_used_bytes\S* (\S+)$/gm) / MIB,
      apiDescriptors: api.descriptors,
      workerDescriptors: first.descriptors,
      redisKeys: Number(/^:(\d+)/.exec(keys ?? '')?.[1] ?? 0),
      backlog: sumOf(apiText, /^relay_backlog_elements\{.*\} (\S+)$/gm),
      deadLetters: sumOf(apiText, /^relay_dead_letters\{.*\} (\S+)$/gm),
      latencyMs: this.#latencyMs(workerText),
      loadAverage: loadavg()[0] ?? 0,
    }
  }

  #latencyMs(text: string): number | null {
    const now: Delivered = {
      seconds: sumOf(text, /^relay_delivery_latency_seconds_sum\{.*\} (\S+)$/gm),
      elements: sumOf(text, /^relay_delivery_latency_seconds_count\{.*\} (\S+)$/gm),
    }
    const elements = now.elements - this.#before.elements
    const seconds = now.seconds - this.#before.seconds
    this.#before = now
    return elements > 0 ? (seconds / elements) * 1000 : null
  }
}
