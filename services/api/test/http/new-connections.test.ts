import { EventEmitter } from 'node:events'
import { NewConnections } from '../../src/http/new-connections.js'

function watched() {
  const server = new EventEmitter()
  const newConnections = new NewConnections()
  newConnections.watch(server)
  return { newConnections, come: () => server.emit('connection') }
}

it('lets work continue while no connection comes', () => {
  const { newConnections } = watched()
  expect([newConnections.goFirst(), newConnections.goFirst()]).toEqual([false, false])
})

it('lets a connection go first, and work in the next turn if no other came', () => {
  const { newConnections, come } = watched()
  come()
  expect([newConnections.goFirst(), newConnections.goFirst()]).toEqual([true, false])
})

it('lets work continue after 20 ms, however many connections come', () => {
  const { newConnections, come } = watched()
  const startedMs = performance.now()
  let turns = 0
  do {
    come()
    turns++
  } while (newConnections.goFirst())
  expect(turns).toBeGreaterThan(1)
  expect(performance.now() - startedMs).toBeGreaterThanOrEqual(20)
  // Then they go first again.
  come()
  expect(newConnections.goFirst()).toBe(true)
})
