import { APP, TestIntake, workspace } from '../support/intake.js'
import { TABLES } from './all.js'
import type { ElementCase } from './case.js'

const attributesOf = (entries: readonly { attribute: string }[] | undefined) =>
  (entries ?? []).map(({ attribute }) => attribute)

describe('hard elements get the expected answer and leave as the expected bytes', () => {
  const intake = new TestIntake([workspace(APP)])
  beforeAll(() => intake.start())
  afterAll(() => intake.stop())

  async function check(given: ElementCase) {
    // A good neighbour on each side: its place must not be confused, nor its bytes.
    const first = '{"type":"customer","customer_id":"first"}'
    const body = `{"type":"transition","elements":[${first},${given.json},${first}]}`
    const answer = await intake.send({ body })
    if (given.refused === undefined) {
      expect(answer.body.error).toBeUndefined()
      expect(answer.status).toBe(200)
      expect(attributesOf(answer.body.warnings)).toEqual(given.warned ?? [])
      const texts = given.sent ?? [given.json]
      expect(intake.store.take()).toEqual([first, ...texts, first])
    } else {
      expect(answer.status).toBe(400)
      expect(attributesOf(answer.body.error?.details)).toEqual(given.refused)
      expect(answer.body.error?.details?.every(({ index }) => index === 1)).toBe(true)
      if (given.type !== undefined) expect(answer.body.error?.type).toBe(given.type)
      expect(intake.store.take()).toEqual([])
    }
  }

  it('has at least 450 cases with distinct names in each table', () => {
    const counts = Object.values(TABLES).map((table) => table.length)
    expect(counts.reduce((a, b) => a + b)).toBeGreaterThanOrEqual(450)
    for (const table of Object.values(TABLES)) {
      expect(new Set(table.map(({ name }) => name)).size).toBe(table.length)
    }
  })

  describe.each(Object.entries(TABLES))('%s', (_, table) => {
    it.each(table.map((given) => [given.name, given] as const))('%s', async (_name, given) => {
      await check(given)
    })
  })
})
