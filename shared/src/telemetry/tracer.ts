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

/** trace-id, parent-id and trace-flags of W3C Trace Context, in hex. */
interface SpanPlace {
  readonly traceId: string
  readonly spanId: string
  readonly traceFlags: number
}

/** As it travels with an element: 16 bytes of trace, 8 of span, 1 of flags. */
export const SPAN_CONTEXT_BYTES = 25
const SPAN_AT = 16
const FLAGS_AT = 24

export function packSpan({ traceId, spanId, traceFlags }: SpanPlace): Buffer {
  const bytes = Buffer.alloc(SPAN_CONTEXT_BYTES)
  bytes.write(traceId, 0, SPAN_AT, 'hex')
  bytes.write(spanId, SPAN_AT, FLAGS_AT - SPAN_AT, 'hex')
  bytes.writeUInt8(traceFlags, FLAGS_AT)
  return bytes
}

export function unpackSpan(bytes: Buffer): SpanPlace {
  return {
    traceId: bytes.toString('hex', 0, SPAN_AT),
    spanId: bytes.toString('hex', SPAN_AT, FLAGS_AT),
    traceFlags: bytes.readUInt8(FLAGS_AT),
  }
}
