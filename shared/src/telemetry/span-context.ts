/** trace-id, parent-id and trace-flags of W3C Trace Context, in hex. */
export interface SpanPlace {
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
