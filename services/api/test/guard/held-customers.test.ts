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
  await customers.look()
  // No post since.
  await customers.look()
  expect(read).toEqual(['A', 'A', 'A'])
})
