import type { Tracer, TracerOptions, TracingTarget } from './tracer.js'

/** The tracer; null without a target, and then nothing of OpenTelemetry is loaded. */
export async function openTracer(
  options: Omit<TracerOptions, 'target'> & { readonly target: TracingTarget | null },
): Promise<Tracer | null> {
  const { target } = options
  if (target === null) return null
  // Loading the library takes longer than loading relay, so it is loaded only when tracing is on.
  const { OtlpTracer } = await import('./otlp-tracer.js')
  return new OtlpTracer({ ...options, target })
}
