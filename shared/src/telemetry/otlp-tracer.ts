import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Context,
  type Span,
  type Tracer as OtelTracer,
} from '@opentelemetry/api'
import { parseTraceParent, setGlobalErrorHandler } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import type { Clock } from '../clock.js'
import { VERSION } from '../version.js'
import {
  packSpan,
  unpackSpan,
  type LinkedSpan,
  type OpenSpan,
  type SpanEnd,
  type Tracer,
  type TracerOptions,
} from './tracer.js'

/** Maximum spans in the export queue; further spans are dropped, and delivery continues. */
const MAX_QUEUED_SPANS = 2_048
const MAX_EXPORT_BATCH = 512
const SEND_EVERY_MS = 1_000
/** Timeout of an export, after which its spans are lost, ms. */
const EXPORT_TIMEOUT_MS = 5_000
const EXPORTS_AT_ONCE = 2
/** Links of one span. A bulk request may hold elements of more posts. */
const MAX_LINKS = 128
/** Longest text of a fact, characters. */
const MAX_ATTRIBUTE_CHARACTERS = 128
const STOP_WITHIN_MS = 1_000
/** Minimum interval between log lines about an unavailable receiver, ms. */
const COMPLAIN_EVERY_MS = 60_000

/** Spans by OTLP over HTTP, in JSON, with the official SDK. Nothing of it is global but its errors. */
export class OtlpTracer implements Tracer {
  readonly #provider: TracerProvider
  readonly #tracer: OtelTracer
  readonly #clock: Clock
  #complainedAtMs = -Infinity

  constructor({ target, service, clock, log }: TracerOptions) {
    this.#clock = clock
    setGlobalErrorHandler((error) => {
      const nowMs = clock.monotonicMs()
      if (nowMs - this.#complainedAtMs < COMPLAIN_EVERY_MS) return
      this.#complainedAtMs = nowMs
      log.warn('traces could not be sent', { problem: wordsOf(error) })
    })
    const exporter = new OTLPTraceExporter({
      url: `${target.endpoint}/v1/traces`,
      timeoutMillis: EXPORT_TIMEOUT_MS,
      concurrencyLimit: EXPORTS_AT_ONCE,
    })
    this.#provider = new TracerProvider({
      resource: resourceFromAttributes({ 'service.name': service, 'service.version': VERSION }),
      sampler: new ParentBasedSampler({ root: rootSampler(target.share) }),
      spanLimits: {
        linkCountLimit: MAX_LINKS,
        attributeValueLengthLimit: MAX_ATTRIBUTE_CHARACTERS,
      },
      spanProcessors: [
        new BatchSpanProcessor({
          exporter,
          maxQueueSize: MAX_QUEUED_SPANS,
          maxExportBatchSize: MAX_EXPORT_BATCH,
          scheduledDelayMillis: SEND_EVERY_MS,
          exportTimeoutMillis: EXPORT_TIMEOUT_MS,
        }),
      ],
    })
    this.#tracer = this.#provider.getTracer('relay', VERSION)
  }

  open(name: string, traceparent: string | undefined): OpenSpan {
    const span = this.#tracer.startSpan(name, { kind: SpanKind.SERVER }, contextOf(traceparent))
    return {
      context: span.isRecording() ? packSpan(span.spanContext()) : null,
      end: (end) => finish(span, end),
    }
  }

  record({ name, durationMs, links, ...end }: LinkedSpan): void {
    const kept = links.slice(0, MAX_LINKS)
    const span = this.#tracer.startSpan(
      name,
      {
        kind: SpanKind.CLIENT,
        root: true,
        startTime: this.#clock.nowMs() - durationMs,
        links: kept.map((link) => ({ context: { ...unpackSpan(link), isRemote: true } })),
      },
      ROOT_CONTEXT,
    )
    finish(span, end)
  }

  async stop(): Promise<void> {
    const done = this.#provider.shutdown().catch(() => undefined)
    const late = new Promise<void>((resolve) => setTimeout(resolve, STOP_WITHIN_MS).unref())
    await Promise.race([done, late])
  }
}

function rootSampler(share: number) {
  return share >= 1 ? new AlwaysOnSampler() : new TraceIdRatioBasedSampler(share)
}

/** An invalid traceparent header starts a new trace. */
function contextOf(traceparent: string | undefined): Context {
  const parent = traceparent === undefined ? null : parseTraceParent(traceparent)
  if (parent === null) return ROOT_CONTEXT
  const traceFlags = parent.traceFlags & TraceFlags.SAMPLED
  return trace.setSpanContext(ROOT_CONTEXT, { ...parent, traceFlags, isRemote: true })
}

function finish(span: Span, { facts, failed }: SpanEnd): void {
  span.setAttributes(facts)
  if (failed) span.setStatus({ code: SpanStatusCode.ERROR })
  span.end()
}

/** Text for the log, without the receiver's response. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const { code } = error as { code?: unknown }
  return typeof code === 'string' || typeof code === 'number' ? `${error.name} ${code}` : error.name
}
