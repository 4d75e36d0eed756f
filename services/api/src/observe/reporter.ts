import { AsyncLocalStorage } from 'node:async_hooks'
import type { RequestListener } from 'node:http'
import type { Clock } from '@relay/shared/clock.js'
import type { LogFields, Logger } from '@relay/shared/observability/logger.js'
import { FREE_MEMORY } from '@relay/shared/redis/explain.js'
import type { PostStore } from '@relay/shared/queue/post.js'
import type { OpenSpan, Tracer } from '@relay/shared/telemetry/tracer.js'
import type { IntakeMetrics } from './metrics.js'
import { DRAIN_OR_RAISE } from '../guard/intake-problem.js'
import type { Cause } from '../refusal.js'
import type { IntakeObserver } from '../accept/ports.js'

/** Turns the intake's actions into metrics, and problems into log lines. */
export class Reporter implements IntakeObserver {
  readonly #metrics: IntakeMetrics
  readonly #log: Logger
  readonly #troubles: LineAllowance

  constructor(metrics: IntakeMetrics, log: Logger, clock: Clock) {
    this.#metrics = metrics
    this.#log = log
    this.#troubles = new LineAllowance(clock)
  }

  elements({ appId, kind, lane, outcome, count }: Parameters<IntakeObserver['elements']>[0]): void {
    this.#metrics.elements.inc({ app_id: appId, kind, lane, outcome }, count)
  }

  refused(_appId: string, rule: string, count: number): void {
    this.#metrics.refusals.inc({ rule }, count)
  }

  warned(_appId: string, rule: string, count: number): void {
    this.#metrics.warnings.inc({ rule }, count)
  }

  answered(answer: Parameters<IntakeObserver['answered']>[0]): void {
    const { route, status, cause, durationMs, ...rest } = answer
    const { requestId, appId, producer, bodyBytes, elements } = rest
    this.#metrics.requests.inc({ route, status: String(status) })
    this.#metrics.duration.observe({ route }, durationMs / 1000)
    if (producer !== null && elements > 0) {
      this.#metrics.producerElements.inc({ producer }, elements)
    }
    const fields = { route, status, requestId, appId, producer, bodyBytes, elements }
    const next = cause === null ? undefined : NEXT[cause]
    if (status >= 500) this.#notAccepted({ ...fields, cause, ...(next && { next }) })
    else this.#log.debug('request', fields)
  }

  #notAccepted(fields: LogFields): void {
    const withheld = this.#troubles.take()
    if (withheld === null) return
    this.#log.warn('request not accepted', withheld > 0 ? { ...fields, withheld } : fields)
  }

  failed(error: unknown, requestId: string): void {
    const name = error instanceof Error ? error.name : 'unknown'
    const stack = error instanceof Error ? error.stack : undefined
    this.#log.error('request failed unexpectedly', { requestId, error: name, stack })
  }
}

/** What to do, by the cause of a 503. */
const NEXT: Readonly<Partial<Record<Cause, string>>> = {
  backlog_full: DRAIN_OR_RAISE,
  redis_full: FREE_MEMORY,
}

const WINDOW_MS = 10_000
const MAX_LINES = 50

/**
 * Limits the log lines of one kind of problem: in an outage every post fails, and the log would grow
 * as fast as producers post. Metrics count all of them.
 */
export class LineAllowance {
  readonly #clock: Clock
  #windowEndsMs = -Infinity
  #written = 0
  #withheld = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How many lines were withheld since the last one that was written; null if this one is withheld. */
  take(): number | null {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs >= this.#windowEndsMs) {
      this.#windowEndsMs = nowMs + WINDOW_MS
      this.#written = 0
    }
    if (this.#written >= MAX_LINES) {
      this.#withheld += 1
      return null
    }
    this.#written += 1
    const withheld = this.#withheld
    this.#withheld = 0
    return withheld
  }
}

const SERVER_FAULT = 500

/**
 * Traces posts: one span per request, in the trace of its `traceparent`, and its context on every
 * stored post. It wraps the intake, which does not depend on it.
 */
export class TracedIntake implements Pick<IntakeObserver, 'answered'> {
  readonly #tracer: Tracer
  /** The span of the current request. */
  readonly #spans = new AsyncLocalStorage<OpenSpan>()

  constructor(tracer: Tracer) {
    this.#tracer = tracer
  }

  listener(next: RequestListener): RequestListener {
    return (request, response) => {
      const header = request.headers.traceparent
      const traceparent = typeof header === 'string' ? header : undefined
      const span = this.#tracer.open('relay intake', traceparent)
      this.#spans.run(span, () => next(request, response))
    }
  }

  store(next: PostStore): PostStore {
    return {
      store: (post) => {
        const span = this.#spans.getStore()?.context ?? null
        return next.store(span === null ? post : { ...post, span })
      },
    }
  }

  /** A span that does not end is not sent, so unauthenticated callers cannot flood the receiver. */
  answered(answer: Parameters<IntakeObserver['answered']>[0]): void {
    const { route, status, appId, producer, bodyBytes, elements, requestId } = answer
    if (producer === null || appId === null) return
    this.#spans.getStore()?.end({
      facts: {
        'http.request.method': route === 'requests' ? 'GET' : 'POST',
        'http.route': route,
        'http.response.status_code': status,
        'relay.app_id': appId,
        'relay.producer': producer,
        'relay.request_id': requestId,
        'relay.body_bytes': bodyBytes,
        'relay.elements': elements,
      },
      failed: status >= SERVER_FAULT,
    })
  }
}
