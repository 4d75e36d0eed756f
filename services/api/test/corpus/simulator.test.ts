import { customerOf, judgeElement } from '@relay/simulator/vendor/elements.js'
import { assess } from '../../src/accept/assess.js'
import { identityOf } from '../../src/accept/identity.js'
import { vocabularyOf } from '../../src/validate/vocabulary.js'
import { NOW_MS, workspace } from '../support/workspace.js'
import { ELEMENT_CASES } from './all.js'

const taken = ELEMENT_CASES.filter(({ refused }) => refused === undefined)

/** Otherwise a first try of relay ends in dead letters that MoEngage itself would not cause. */
it.each(taken.map(({ name, json, sent = [json] }): [string, readonly string[]] => [name, sent]))(
  'the simulator takes what relay takes: %s',
  (_, sent) =>
    expect(sent.map((text) => judgeElement(JSON.parse(text), NOW_MS))).toEqual(
      sent.map(() => null),
    ),
)

describe('a workspace with its own names', () => {
  const own = { identifiers: ['card', 'u_mb'], allowedNames: ['moe_new'] }
  const names = vocabularyOf(workspace('A', own))
  const values = [{}, { card: 'LC-1' }, { card: ' ' }, { card: 7 }, { u_mb: '1' }, { u_em: 'a@b.example' }] // prettier-ignore
  const reserved = [{}, { moe_new: 1 }, { moe_other: 1 }]
  const both = values.flatMap((one) => values.map((two) => ({ ...one, ...two })))
  const elements = [
    ...both.flatMap((given) => reserved.map((more) => ({ type: 'customer' as const, attributes: { ...given, ...more } }))),
    ...both.flatMap((given) => reserved.map((attributes) => ({ type: 'event' as const, user_identifiers: given, actions: [{ action: 'moe_new', attributes }] }))),
  ] // prettier-ignore
  const isAccepted = (element: object) => {
    const context = { endpoint: 'transition', workspaceLimits: workspace('A').limits, limits: { maxElements: 9, maxFindings: 9 }, nowMs: NOW_MS, names } as const // prettier-ignore
    const outcome = assess(Buffer.from(JSON.stringify({ type: 'transition', elements: [element] })), context) // prettier-ignore
    return outcome.ok && outcome.assessment.accepted.length === 1
  }
  const accepted = elements.filter(isAccepted)

  it('sends what the simulator takes when it knows the same names', () => {
    expect(accepted.length).toBeGreaterThan(elements.length / 2)
    expect(accepted.filter((element) => judgeElement(element, NOW_MS, own) !== null)).toEqual([])
  })

  it('has the same customers for both', () => {
    const pairs = accepted.map((e) => [identityOf(e.type, e, names), customerOf(e, own)] as const)
    const distinct = new Set(pairs.map(String))
    expect(new Set(pairs.map(([relays]) => relays)).size).toBe(distinct.size)
    expect(new Set(pairs.map(([, vendors]) => vendors)).size).toBe(distinct.size)
  })
})
