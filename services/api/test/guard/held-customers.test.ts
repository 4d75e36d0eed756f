import { HeldCustomers } from '../../src/guard/held-customers.js'

const read: string[] = []
let held: ReadonlySet<string> | null

const customers = new HeldCustomers((appId) => {
  read.push(appId)
  return held === null ? Promise.reject(new Error('Redis is away')) : Promise.resolve(held)
})

test('are read for workspaces with posts, and unknown while Redis is away', async () => {
  await customers.look()
  expect(read).toEqual([])
  held = new Set(['hot'])
  expect(customers.of('A').size).toBe(0)
  await customers.look()
  expect([...customers.of('A')]).toEqual(['hot'])
  held = null
  await customers.look()
  expect(customers.of('A').size).toBe(0)
  expect(read).toEqual(['A', 'A'])
})

test('are known to a post long after the one before, but not read permanently', async () => {
  held = new Set(['hot'])
  for (let minutes = 0; minutes < 60; minutes++) {
    for (let i = 0; i < 12; i++) await customers.look()
  }
  expect([...customers.of('A')]).toEqual(['hot'])
  for (let i = 0; i < 12 * 60 * 2; i++) await customers.look()
  const before = read.length
  await customers.look()
  expect(read).toHaveLength(before)
  expect(customers.of('A').size).toBe(0)
})
