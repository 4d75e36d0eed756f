import type { Clock } from '../clock.js'
import type { Logger } from '../observability/logger.js'

/** Where spans are sent, and how many. */
export interface TracingTarget {
  /** Base URL of an OTLP/HTTP receiver, without a slash at its end. */
  readonly endpoint: string
  /** Of the posts whose producer did not decide, the share that is traced: 0 to 1. */
  readonly share: number
}

export interface TracerOptions {
  readonly target: TracingTarget
  readonly service: string
  readonly clock: Clock
  readonly log: Logger
}

/** A fact about a span. Never of a customer: no element, no identity, no body. */
export type SpanFacts = Readonly<Record<string, string | number | boolean>>

export interface SpanEnd {
  readonly facts: SpanFacts
  readonly failed: boolean
}

/** A span that is under way. */
export interface OpenSpan {
  /** As `packSpan` writes it; null: it is not recorded, and neither is what follows from it. */
  readonly context: Buffer | null
  end(end: SpanEnd): void
}

/** A span that has ended now, and what it came from. */
export interface LinkedSpan extends SpanEnd {
  readonly name: string
  readonly durationMs: number
  /** Spans of others, as `packSpan` writes them. */
  readonly links: readonly Buffer[]
}

/** Where spans go: the port that api and worker know. Its methods never throw. */
export interface Tracer {
  /** A request came in; `traceparent`: its header, whatever it holds. */
  open(name: string, traceparent: string | undefined): OpenSpan
  record(span: LinkedSpan): void
  /** Sends what is left, for a second at most. */
  stop(): Promise<void>
}
