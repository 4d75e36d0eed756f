import { counted, printable } from './table.js'

/** The answer of `GET /admin/requests/{id}`. */
export interface TraceView {
  readonly request_id: string
  readonly app_id: string | null
  readonly accepted_at: string
  readonly state: string
  readonly counts: Readonly<Record<string, number | null>>
  readonly sent: readonly {
    at: string
    bulk_request_id: string
    /** MoEngage's name for it; absent from an api of an earlier version. */
    vendor_request_id?: string | null
    elements: number
  }[]
  readonly dead_lettered: readonly {
    id: string
    reason: string
    answer: { status: number; message: string; attribute: string | null }
  }[]
}

export function traceLines(trace: TraceView): string[] {
  const { accepted, queued, sent, dead_lettered, purged, shadowed } = trace.counts
  const some = (n: number | null | undefined): string => (n === null ? '?' : String(n ?? 0))
  return [
    `${trace.request_id}: ${trace.state.replace('_', '-')}`,
    `  accepted ${trace.accepted_at}${trace.app_id ? ` for ${trace.app_id}` : ''}`,
    `  ${typeof accepted === 'number' ? counted(accepted, 'element') : '? elements'}: ${some(sent)} sent, ${some(queued)} queued, ${some(dead_lettered)} dead, ${some(purged)} purged${shadowed ? `, ${some(shadowed)} accepted in shadow and not sent` : ''}`,
    ...trace.sent.map(
      ({ at, bulk_request_id, vendor_request_id, elements }) =>
        `  sent ${at}: ${String(elements)} in bulk request ${bulk_request_id}${vendor_request_id ? `, MoEngage's request_id ${vendor_request_id}` : ''}`,
    ),
    ...trace.dead_lettered.map(
      ({ id, reason, answer }) =>
        `  dead (${reason}): ${String(answer.status)} ${answer.message} → relay dead-letters show ${id}`,
    ),
  ].map(printable)
}
