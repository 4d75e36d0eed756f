import { createServer, type Server } from 'node:net'
import { startChild } from '../../src/process/child.js'
import {
  freePort,
  freePortAfter,
  isPortBusy,
  LOOPBACK,
  releasePort,
} from '../../src/process/port.js'

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
    releasePort(first)
    expect(await freePortAfter(first - 1)).not.toBe(first)
    await listen(await freePort())
  })

  test('is drawn again only once it is released', async () => {
    const first = await freePort()
    expect(await freePortAfter(first - 1)).not.toBe(first)
    releasePort(first)
    expect(await freePortAfter(first - 1)).toBe(first)
  })

  test('is never shared by processes that draw at once, before anybody listens on it', async () => {
    const after = await freePort()
    const drawers = await Promise.all(
      Array.from({ length: 3 }, (_, i) =>
        startChild({
          name: `drawer ${i}`,
          entry: new URL('../fixtures/draw-ports.ts', import.meta.url).pathname,
          args: [String(after), '60'],
        }),
      ),
    )
    const lines = await Promise.all(drawers.map((drawer) => drawer.waitForLine(/^\d/)))
    await Promise.all(drawers.map((drawer) => drawer.stop()))
    const ports = lines.flatMap((line) => line.split(' '))
    expect(ports).toHaveLength(180)
    expect(new Set(ports).size).toBe(180)
  })
})
