import type { Clock } from '../clock.js'
import type { Logger } from '../observability/logger.js'

/** Receiver of spans, and sampling share. */
export interface TracingTarget {
  /** Base URL of an OTLP/HTTP receiver, without a slash at its end. */
  readonly endpoint: string
  /** Share of posts to trace where the producer did not decide: 0 to 1. */
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

/** A span in progress. */
export interface OpenSpan {
  /** As `packSpan` writes it; null: neither the span nor its descendants are recorded. */
  readonly context: Buffer | null
  end(end: SpanEnd): void
}

/** A span that has just ended, with its links. */
export interface LinkedSpan extends SpanEnd {
  readonly name: string
  readonly durationMs: number
  /** Spans of others, as `packSpan` writes them. */
  readonly links: readonly Buffer[]
}

/** The port through which api and worker emit spans. Its methods never throw. */
export interface Tracer {
  /** Starts the span of a request; `traceparent`: its header, valid or not. */
  open(name: string, traceparent: string | undefined): OpenSpan
  record(span: LinkedSpan): void
  /** Sends the remaining spans, for up to a second. */
  stop(): Promise<void>
}
