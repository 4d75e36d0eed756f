import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { closeServer, listen } from '@relay/shared/process/shutdown.js'

test('listens on the address that was asked for, and on no other', async () => {
  const server = createServer()
  await listen(server, 0, 'OPS_PORT', '127.0.0.1')
  expect((server.address() as AddressInfo).address).toBe('127.0.0.1')
  await closeServer(server, 1_000)
})

test('an address of another machine is named with its setting', async () => {
  const listening = listen(createServer(), 0, 'OPS_PORT', '192.0.2.1')
  await expect(listening).rejects.toThrow(/192\.0\.2\.1 .*OPS_HOST/)
})
