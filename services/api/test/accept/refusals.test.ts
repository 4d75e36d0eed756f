import {
  bodyRefusal,
  claimRefusal,
  detailsOf,
  importRefusal,
  invalidRefusal,
  quotaRefusal,
  storeRefusal,
} from '../../src/accept/refusals.js'
import { Findings } from '../../src/validate/findings.js'

const finding = (index: number) => {
  return { index, attribute: 'a', message: 'm', rule: 'tooLarge' as const }
}

describe('details', () => {
  it('are one entry per finding', () => {
    const plain = { attribute: 'a', message: 'm' }
    expect(detailsOf([finding(1), finding(3)], 2)).toEqual([
      { index: 1, ...plain },
      { index: 3, ...plain },
    ])
    expect(detailsOf([], 0)).toEqual([])
    expect(detailsOf([], 5)).toEqual([])
  })

  it('end with an entry that counts those that are not listed', () => {
    const [, last, ...none] = detailsOf([finding(4)], 8)
    expect(none).toEqual([])
    expect(last).toMatchObject({ index: 4, attribute: '' })
    expect(last?.message).toContain('7 more')
  })
})

it('a body that is refused names the attribute, if it is one', () => {
  const fault = { type: 'T', message: 'm' }
  expect(bodyRefusal(fault)).toStrictEqual({ status: 400, ...fault })
  expect(bodyRefusal({ ...fault, attribute: 'a' })).toStrictEqual({
    status: 400,
    ...fault,
    attribute: 'a',
    details: [{ attribute: 'a', message: 'm' }],
  })
})

describe('elements that are invalid', () => {
  it('are refused with the first problem leading', () => {
    const findings = new Findings(1)
    findings.add('missing', 2, 'type')
    findings.add('tooLarge', 3, '')
    const { details = [], ...refusal } = invalidRefusal(findings)
    expect(refusal).toMatchObject({ status: 400, type: 'MissingAttributeError', attribute: 'type' })
    expect(refusal.message).toBe(details[0]?.message)
    expect(details).toHaveLength(2)
  })

  it('are too large only where nothing else is wrong', () => {
    const findings = new Findings(9)
    findings.add('tooLarge', 0, '')
    expect(invalidRefusal(findings)).toMatchObject({ status: 413, type: 'Payload too large' })
    expect(invalidRefusal(findings)).not.toHaveProperty('attribute')
    findings.add('missing', 0, 'type')
    expect(invalidRefusal(findings).status).toBe(400)
  })
})

it('a quota that is used up is answered like MoEngage’s own, with the time', () => {
  const refusal = quotaRefusal({ granted: false, retryAfterMs: 7, exceeded: '10 elements' })
  expect(refusal).toMatchObject({ status: 429, type: 'Rate Limit Exceeded', retryAfterMs: 7 })
  expect(refusal.message).toContain('10 elements')
})

it.each([
  ['mismatch', 422, 'IdempotencyKeyReused', 'Idempotency-Key', undefined],
  ['running', 409, 'IdempotencyKeyInUse', 'Idempotency-Key', 1_000],
  ['unavailable', 503, 'Service Unavailable', undefined, 2_000],
] as const)(
  'a key that is %s is refused with %d',
  (state, status, type, attribute, retryAfterMs) => {
    const refusal: object = claimRefusal(state)
    expect(refusal).toMatchObject({ status, type, ...(retryAfterMs && { retryAfterMs }) })
    expect(refusal).toMatchObject(attribute === undefined ? {} : { attribute })
    expect((refusal as { message: string }).message).not.toBe('')
  },
)

describe.each([
  ['redis_unavailable', 2_000],
  ['backlog_full', 30_000],
  ['redis_full', 30_000],
  ['durability', 5_000],
] as const)('a store that refuses for %s', (reason, retryAfterMs) => {
  it('is a 503 that says when to come back, and whether anything may be stored', () => {
    for (const refusalOf of [storeRefusal, importRefusal]) {
      const certain = refusalOf('refused', reason)
      const doubtful = refusalOf('unknown', reason)
      for (const refusal of [certain, doubtful])
        expect(refusal).toMatchObject({ status: 503, type: 'Service Unavailable', retryAfterMs })
      expect(doubtful.message).toContain('may ')
      expect(certain.message).not.toContain('may ')
      expect(certain.message).toMatch(
        / (?:after the Retry-After interval|Wait for Retry-After, then resume after last_line)\.$/,
      )
    }
  })
})
