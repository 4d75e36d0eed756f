import { packSpan, SPAN_CONTEXT_BYTES, unpackSpan } from '../../src/telemetry/tracer.js'

// The example of W3C Trace Context, section 3.2.2.5.
const EXAMPLE = {
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  spanId: '00f067aa0ba902b7',
  traceFlags: 1,
}

it('the place of a span comes back from its 25 bytes', () => {
  const bytes = packSpan(EXAMPLE)
  expect(bytes).toHaveLength(SPAN_CONTEXT_BYTES)
  expect(bytes.toString('hex')).toBe(`${EXAMPLE.traceId}${EXAMPLE.spanId}01`)
  expect(unpackSpan(bytes)).toEqual(EXAMPLE)
})
