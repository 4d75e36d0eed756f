import type { Tracer, TracerOptions, TracingTarget } from './tracer.js'

/** The tracer; null without a target, and then nothing of OpenTelemetry is loaded. */
export async function openTracer(
  options: Omit<TracerOptions, 'target'> & { readonly target: TracingTarget | null },
): Promise<Tracer | null> {
  const { target } = options
  if (target === null) return null
  // Loading it takes longer than all of relay: only who wants it waits for it.
  const { OtlpTracer } = await import('./otlp-tracer.js')
  return new OtlpTracer({ ...options, target })
}
