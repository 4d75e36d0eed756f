import { fuzzIntake } from './http-fuzz/campaign.js'

/** `npm run fuzz:http` sends a million. The seed is fixed: what fails here fails everywhere. */
const REQUESTS = 8_000

test('mutated requests cause no fault, leak nothing and harm no other producer', async () => {
  const result = await fuzzIntake({
    requests: REQUESTS,
    forMs: Infinity,
    seed: 20_261_123,
    connections: 16,
    nowMs: () => performance.now(),
  })
  expect(result.faults).toEqual([])
  expect(result.errors).toEqual([])
  expect(result.settled).toBe(result.accepted)
  expect([...result.neighbour.statuses.keys()]).toEqual([200])
  expect(result.descriptors.after).toBeLessThan(result.descriptors.before + 20)
  expect(result.memoryMiB.most).toBeLessThan(420)
  // The search sees both sides of the border.
  expect(result.statuses.get(200)).toBeGreaterThan(REQUESTS / 50)
  expect(result.statuses.get(400)).toBeGreaterThan(REQUESTS / 50)
})
