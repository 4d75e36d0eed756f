import { EventEmitter } from 'node:events'
import { Arrivals } from '../../src/http/arrivals.js'

function watched() {
  const server = new EventEmitter()
  const arrivals = new Arrivals()
  arrivals.watch(server)
  return { arrivals, come: () => server.emit('connection') }
}

it('lets work continue while no connection comes', () => {
  const { arrivals } = watched()
  expect([arrivals.goFirst(), arrivals.goFirst()]).toEqual([false, false])
})

it('lets a connection go first, and work in the next turn if no other came', () => {
  const { arrivals, come } = watched()
  come()
  expect([arrivals.goFirst(), arrivals.goFirst()]).toEqual([true, false])
})

it('lets work continue after 20 ms, however many connections come', () => {
  const { arrivals, come } = watched()
  const startedMs = performance.now()
  let turns = 0
  do {
    come()
    turns++
  } while (arrivals.goFirst())
  expect(turns).toBeGreaterThan(1)
  expect(performance.now() - startedMs).toBeGreaterThanOrEqual(20)
  // Then they go first again.
  come()
  expect(arrivals.goFirst()).toBe(true)
})
