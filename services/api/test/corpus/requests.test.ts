import { APP, OTHER_APP, TestIntake, workspace } from '../support/intake.js'
import type { RequestCase } from './case.js'
import { REQUEST_TABLES } from './requests.js'

const SECRETS = ['s3cret', 'n3w:secret', 'vendor-key', 'other']

describe('a request that is not as it should be is answered as the contract says', () => {
  const restricted = workspace(OTHER_APP, { producers: new Set(['shop']) })
  const intake = new TestIntake([workspace(APP), restricted])
  beforeAll(() => intake.start())
  afterAll(() => intake.stop())

  async function check({ status, type, attribute, answers, ...sending }: RequestCase) {
    const answer = await intake.send(sending)
    expect(`${answer.status} ${answer.text}`).toMatch(new RegExp(`^${status} `))
    expect(answer.headers['content-type']).toBe('application/json')
    expect(answer.headers['x-request-id']).toMatch(/^[0-9A-Z]{26}$/)
    expect(answer.headers).not.toHaveProperty('x-powered-by')
    for (const [name, part] of Object.entries(answers ?? {})) {
      expect(answer.headers[name]).toContain(part)
    }
    for (const secret of SECRETS) expect(answer.text).not.toContain(secret)
    if (status === 200) {
      expect(answer.body.status).toBe('success')
      expect(intake.store.take()).toHaveLength(1)
      return
    }
    expect(answer.body.status).toBe('fail')
    expect(answer.body.error?.request_id).toMatch(/^[0-9A-Z]{26}$/)
    expect(answer.body.error?.message).not.toBe('')
    if (type !== undefined) expect(answer.body.error?.type).toBe(type)
    if (attribute !== undefined) expect(answer.body.error?.attribute).toBe(attribute)
    expect(intake.store.take()).toEqual([])
  }

  describe.each(Object.entries(REQUEST_TABLES))('%s', (_, table) => {
    it.each(table.map((given) => [given.name, given] as const))('%s', async (_name, given) => {
      await check(given)
    })
  })
})
