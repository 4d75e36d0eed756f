import { AsyncLocalStorage } from 'node:async_hooks'
import type { RequestListener } from 'node:http'
import type { PostStore } from '@relay/shared/queue/post.js'
import type { OpenSpan, Tracer } from '@relay/shared/telemetry/tracer.js'
import type { IntakeObserver } from '../accept/ports.js'

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
      this.#spans.run(span, () => {
        next(request, response)
      })
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
