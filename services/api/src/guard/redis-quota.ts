import type { LaneBacklog } from '@relay/shared/queue/backlog.js'
import { workspaceKeys } from '@relay/shared/queue/keys.js'
import type { RedisClient } from '@relay/shared/redis/connect.js'
import { runTexts, script } from '@relay/shared/redis/script.js'
import type { Quota, QuotaOutcome, QuotaRequest } from '../accept/ports.js'

const QUOTA = script('quota', 4)

/** The window of `elementsPerMinute`, ms. */
const WINDOW_MS = 60_000
/** Slices of a window; one more is counted, since the oldest reaches into the window. */
const SLICES = 60
/** A full share of the backlog drains as fast as MoEngage accepts it; retry after this, ms. */
const BACKLOG_RETRY_MS = 30_000

/** The backlog as last read by this process. */
export interface BacklogView {
  readonly lanes: readonly LaneBacklog[]
  readonly limitBytes: number
}

export interface RedisQuotaOptions {
  readonly client: RedisClient
  readonly prefix: string
  readonly backlog: () => BacklogView
  readonly windowMs?: number
}

/**
 * Quotas that all api processes share. `elementsPerMinute` holds in every window over all apis.
 *
 * `backlogShare` is a share of the backlog limit. A producer's backlog is not counted, because every
 * settle would have to look up producers. It is bounded instead, per lane, by the whole backlog and by
 * what the producer posted since the oldest pending element. So a producer exceeds its share by at
 * most what it posts between two reads of the backlog (1 to 2 s), and it is refused only while the
 * workspace's whole backlog is larger than the share.
 */
export class RedisQuota implements Quota {
  readonly #options: RedisQuotaOptions

  constructor(options: RedisQuotaOptions) {
    this.#options = options
  }

  async take(request: QuotaRequest): Promise<QuotaOutcome> {
    const { elementsPerMinute } = request.quota
    if (elementsPerMinute !== undefined && request.elements > elementsPerMinute) {
      return tooMany(request.elements, elementsPerMinute)
    }
    // Without Redis nothing is stored either; the store refuses.
    const [state, value] = await this.#run(request, request.elements).catch(() => ['granted'])
    switch (state) {
      case 'elements':
        return {
          granted: false,
          retryAfterMs: Number(value),
          exceeded: `${elementsPerMinute} elements per minute`,
        }
      case 'backlog':
        return {
          granted: false,
          retryAfterMs: BACKLOG_RETRY_MS,
          exceeded: `${this.#backlogBytes(request)} bytes waiting for MoEngage`,
        }
      case undefined:
      default:
        return { granted: true }
    }
  }

  async giveBack(request: QuotaRequest): Promise<void> {
    await this.#run(request, -request.elements).catch(() => null)
  }

  #run(request: QuotaRequest, elements: number) {
    const { client, prefix, backlog, windowMs = WINDOW_MS } = this.#options
    const { appId, producer, quota, bytes, lane } = request
    const key = workspaceKeys(prefix, appId).quota(producer)
    const keys = [key, `${key}:posted`, `${key}:realtime`, `${key}:backfill`]
    const lanes = backlog().lanes.filter((waiting) => waiting.appId === appId)
    const waits = (['realtime', 'backfill'] as const).flatMap((name) => {
      const waiting = lanes.find((each) => each.lane === name)
      return [waiting?.bytes ?? 0, String(waiting?.oldestMs ?? '')]
    })
    return runTexts(client, QUOTA, keys, [
      ...[elements, String(quota.elementsPerMinute ?? ''), Math.ceil(windowMs / SLICES)],
      ...[bytes, lane === 'realtime' ? 1 : 2],
      String(this.#backlogBytes(request) ?? ''),
      ...waits,
    ])
  }

  #backlogBytes({ quota: { backlogShare } }: QuotaRequest): number | undefined {
    if (backlogShare === undefined) return undefined
    return Math.floor(this.#options.backlog().limitBytes * backlogShare)
  }
}

/** A request larger than the quota itself can never be accepted. */
function tooMany(elements: number, elementsPerMinute: number): QuotaOutcome {
  const exceeded =
    `${elementsPerMinute} elements per minute, and this one request has ` +
    `${elements}; post them in smaller requests`
  return { granted: false, retryAfterMs: WINDOW_MS, exceeded }
}
