import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { closeServer, INTAKE_ADDRESS, listen, OPS_ADDRESS } from '@relay/shared/process/shutdown.js'

test('listens on the address that was asked for, and on no other', async () => {
  const server = createServer()
  await listen(server, 0, OPS_ADDRESS, '127.0.0.1')
  expect((server.address() as AddressInfo).address).toBe('127.0.0.1')
  await closeServer(server, 1_000)
})

test.each([OPS_ADDRESS, INTAKE_ADDRESS])(
  'an address of another machine is named with its setting: $host',
  async (settings) => {
    const listening = listen(createServer(), 0, settings, '192.0.2.1')
    await expect(listening).rejects.toThrow(new RegExp(`192\\.0\\.2\\.1 .*${settings.host}`))
  },
)
