import { goneRightly } from './deliveries.js'
import type { Evidence, Violation } from './model.js'

/** All acknowledged poison is dead-lettered, and nothing else, for any outages. */
export function judgeDeadLetters(evidence: Evidence): Violation[] {
  const { posted, deadLetters } = evidence
  const mayBeGone = goneRightly(evidence)
  const name = (e: { customer: string; seq: number }) => `${e.customer} ${String(e.seq)}`
  const dead = new Set(deadLetters.map(name))
  const poison = new Map(posted.filter((p) => p.poison).map((p) => [name(p), p]))
  const wrong = [...dead]
    .filter((key) => !poison.has(key))
    .map((key) => ({ law: 'only poison is dead-lettered' as const, detail: `${key} is dead` }))
  const missing = [...poison]
    .filter(([key, letter]) => letter.acknowledged && !dead.has(key) && !mayBeGone(letter))
    .map(([key]) => ({
      law: 'nothing acknowledged is missing' as const,
      detail: `${key}: poison that is no dead letter`,
    }))
  return [...wrong, ...missing]
}
