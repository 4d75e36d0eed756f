import type { Evidence, Violation } from './model.js'

/** Once relay has answered `done`, nothing that it had accepted of that customer is sent. */
export function judgeErasures({ erasures, posted, arrived, requests }: Evidence): Violation[] {
  const startedAt = new Map(requests.map((r) => [r.requestId, r.startedAtMs]))
  const acceptedAt = new Map(posted.map((p) => [`${p.customer} ${String(p.seq)}`, p]))
  return erasures.flatMap(({ customer, askedAtMs, doneAtMs }) =>
    arrived
      .filter((a) => a.customer === customer)
      .filter((a) => (startedAt.get(a.requestId) ?? -Infinity) > doneAtMs)
      .filter(({ seq }) => {
        const element = acceptedAt.get(`${customer} ${String(seq)}`)
        return element !== undefined && element.acknowledgedAtMs < askedAtMs
      })
      .map(({ seq, requestId }) => ({
        law: 'nothing of a forgotten customer is sent' as const,
        detail: `${customer}: ${String(seq)} in request ${requestId}, begun after the answer`,
      })),
  )
}
