import { APP, TestIntake, workspace } from '../support/intake.js'

describe('where a producer’s request is', () => {
  const intake = new TestIntake([workspace(APP)], { traceMs: 5 })
  const path = '/v1/requests/01M86HZWK900025FC2XZYMV50H'
  beforeAll(() => intake.start())
  afterAll(() => intake.stop())

  it('is asked for its workspace and its producer alone, and 404 for what is not theirs', async () => {
    const asked: unknown[] = []
    intake.producersTrace = (...of) => {
      asked.push(of)
      return Promise.resolve(null)
    }
    const answer = await intake.send({ method: 'GET', path })
    expect([answer.status, answer.body.error?.type]).toEqual([404, 'Not Found'])
    expect(asked).toEqual([['01M86HZWK900025FC2XZYMV50H', APP, 'shop']])
  })

  it.each([
    ['does not answer', () => new Promise<never>(() => undefined)],
    ['refuses', () => Promise.reject(new Error('Command timed out'))],
  ])('is 503 with Retry-After when Redis %s', async (_, trace) => {
    intake.producersTrace = trace
    const { status, headers, body } = await intake.send({ method: 'GET', path })
    expect([status, body.error?.type]).toEqual([503, 'Service Unavailable'])
    expect(headers['retry-after']).toMatch(/^[1-9]\d*$/)
  })

  it('is read by GET alone', async () => {
    const { status, headers } = await intake.send({ method: 'POST', path, body: '{}' })
    expect([status, headers.allow]).toEqual([405, 'GET, HEAD'])
  })
})
