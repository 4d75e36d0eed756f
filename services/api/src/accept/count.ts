import type { Workspace } from '@relay/shared/config/workspace.js'
import { KINDS, type Kind, type Lane } from '@relay/shared/element.js'
import type { Finding } from '../validate/findings.js'
import type { RuleName } from '../validate/rules.js'
import type { Assessment } from './assess.js'
import type { IntakeObserver } from './ports.js'

/** Reports the outcome of a request's elements to the observer. */

interface Counted {
  readonly workspace: Workspace
  readonly lane: Lane
}

export function countRejected(
  observer: IntakeObserver,
  { workspace: { appId }, lane }: Counted,
  { rejectedKinds, findings }: Assessment,
): void {
  for (const [rule, count] of perRule(findings.problems)) observer.refused(appId, rule, count)
  for (const [kind, count] of rejectedKinds) {
    // The label is a closed set: an element of an unknown type counts as the most common kind.
    observer.elements({ appId, kind: kind ?? 'user', lane, outcome: 'rejected', count })
  }
}

export function countStored(
  observer: IntakeObserver,
  { workspace: { appId }, lane }: Counted,
  { queued }: Assessment,
  outcome: 'accepted' | 'unavailable',
): void {
  const counts: Record<Kind, number> = { user: 0, event: 0, device: 0 }
  for (const { kind, posted } of queued) counts[kind] += posted
  for (const kind of KINDS) {
    const count = counts[kind]
    if (count > 0) observer.elements({ appId, kind, lane, outcome, count })
  }
}

export function countWarnings(
  observer: IntakeObserver,
  { workspace: { appId } }: Counted,
  { findings }: Assessment,
): void {
  for (const [rule, count] of perRule(findings.warnings)) observer.warned(appId, rule, count)
}

function perRule(findings: readonly Finding[]): Map<RuleName, number> {
  const counts = new Map<RuleName, number>()
  for (const { rule } of findings) counts.set(rule, (counts.get(rule) ?? 0) + 1)
  return counts
}
