import { createServer, type Server } from 'node:net'
import { freePort, isPortBusy, LOOPBACK } from '../../src/process/port.js'

describe('a free port', () => {
  const servers: Server[] = []

  afterAll(() => {
    for (const server of servers) server.close()
  })

  async function listen(port: number): Promise<void> {
    const server = createServer()
    servers.push(server)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, LOOPBACK, resolve)
    })
  }

  test('is another one each time, and none that an outgoing connection could be given', async () => {
    const ports = await Promise.all(Array.from({ length: 50 }, () => freePort()))
    expect(new Set(ports).size).toBe(50)
    expect(Math.max(...ports)).toBeLessThan(32_768)
  })

  test('is passed over while somebody listens on it, and can be listened on', async () => {
    const first = await freePort()
    await listen(first)
    expect(await isPortBusy(first)).toBe(true)
    // Once around its stripe and further: the one in use comes up again.
    for (let i = 0; i < 120; i += 1) expect(await freePort()).not.toBe(first)
    await listen(await freePort())
  })
})
