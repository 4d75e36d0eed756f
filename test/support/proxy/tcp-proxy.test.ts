import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { startProxy, type TcpProxy } from './tcp-proxy.js'
import { waitFor } from '@relay/tools/wait-for.js'

/** One end of a connection and what it has seen. */
class End {
  readonly socket: Socket
  received = ''
  closed: 'ended' | 'reset' | null = null

  constructor(socket: Socket) {
    this.socket = socket
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => (this.received += text))
    socket.on('end', () => (this.closed ??= 'ended'))
    socket.on('error', () => (this.closed = 'reset'))
  }

  async gets(text: string): Promise<void> {
    await waitFor(() => this.received === text, { what: `"${text}", got "${this.received}"` })
  }

  async closes(how: 'ended' | 'reset'): Promise<void> {
    await waitFor(() => this.closed === how, { what: `the connection to be ${how}` })
  }
}

describe('the fault-injecting proxy', () => {
  let server: Server
  let proxy: TcpProxy
  let atTarget: End[]

  beforeEach(async () => {
    atTarget = []
    server = createServer((socket) => atTarget.push(new End(socket)))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    proxy = await startProxy({ port: (server.address() as AddressInfo).port })
  })

  afterEach(async () => {
    await proxy.stop()
    for (const { socket } of atTarget) socket.destroy()
    server.close()
  })

  async function connected(): Promise<{ client: End; target: End }> {
    const before = atTarget.length
    const socket = connect(proxy.port, '127.0.0.1')
    await once(socket, 'connect')
    const target = await waitFor(() => atTarget[before], { what: 'the target to be connected' })
    return { client: new End(socket), target }
  }

  /** A whole exchange after which both directions are known to be empty. */
  async function echo({ client, target }: { client: End; target: End }): Promise<void> {
    client.socket.write('ping')
    await target.gets('ping')
    target.socket.write('pong')
    await client.gets('pong')
  }

  it('passes both directions on, and the close after the last byte', async () => {
    const { client, target } = await connected()
    await echo({ client, target })
    target.socket.end('bye')
    await client.gets('pongbye')
    await client.closes('ended')
    client.socket.destroy()
    await waitFor(() => proxy.connections === 0, { what: 'no connection to be left' })
  })

  it('holds back a connection from a given text on, and gives it up when healed', async () => {
    const { client, target } = await connected()
    proxy.set({ stallFrom: 'settle' }, 'up')
    client.socket.write('renew')
    await target.gets('renew')
    client.socket.write('settle 1')
    await waitFor(() => proxy.heldBytes > 0, { what: 'the proxy to hold something' })
    client.socket.write('renew')
    await waitFor(() => proxy.heldBytes > 'settle 1'.length, { what: 'the following data, too' })
    expect(target.received).toBe('renew')
    proxy.heal()
    await target.gets('renewsettle 1renew')
  })

  it('delivers late what it held of one connection, though its sender has gone', async () => {
    const { client, target } = await connected()
    proxy.set({ stallFrom: 'settle', once: true, late: true }, 'up')
    client.socket.write('settle 1')
    await waitFor(() => proxy.heldBytes > 0, { what: 'the proxy to hold something' })
    client.socket.destroy()
    const next = await connected()
    next.client.socket.write('settle 2')
    await next.target.gets('settle 2')
    expect(target.received).toBe('')
    proxy.heal()
    await target.gets('settle 1')
  })

  it('loses the pieces that hold a given text and no others', async () => {
    const { client, target } = await connected()
    proxy.set({ swallow: 'message' }, 'down')
    target.socket.write('message 1')
    await echo({ client, target })
    expect(client.received).not.toContain('message')
  })

  it('delays one direction and leaves the other alone', async () => {
    const { client, target } = await connected()
    proxy.set({ delayMs: 300 }, 'up')
    const startedMs = performance.now()
    client.socket.write('slow')
    target.socket.write('fast')
    await client.gets('fast')
    expect(target.received).toBe('')
    await target.gets('slow')
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(299)
  })

  it('delivers in order what it held while stalled, once healed', async () => {
    const { client, target } = await connected()
    await echo({ client, target })
    proxy.set({ stalled: true }, 'up')
    client.socket.write('one ')
    client.socket.write('two')
    target.socket.write('!')
    await client.gets('pong!')
    expect(target.received).toBe('ping')
    proxy.heal()
    await target.gets('pingone two')
  })

  it('drops what it holds when the client closes: nothing arrives later', async () => {
    const { client, target } = await connected()
    await echo({ client, target })
    proxy.set({ stalled: true }, 'up')
    client.socket.end('too late')
    await target.closes('reset')
    proxy.heal()
    const { target: other } = await connected()
    expect(other.received).toBe('')
    expect(target.received).toBe('ping')
  })

  it('gives the client what a target sent before it closed, however delayed', async () => {
    const { client, target } = await connected()
    proxy.set({ delayMs: 100 }, 'down')
    target.socket.end('answer')
    await client.gets('answer')
    await client.closes('ended')
    client.socket.destroy()
  })

  it('throttles', async () => {
    const { client, target } = await connected()
    proxy.set({ bytesPerSecond: 10_000 }, 'up')
    const startedMs = performance.now()
    const text = 'x'.repeat(3_000)
    client.socket.write(text)
    await target.gets(text)
    // The last of the steps of 20 ms is not waited for.
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(270)
  })

  it('cuts with a reset on both sides', async () => {
    const { client, target } = await connected()
    await echo({ client, target })
    proxy.cut()
    await client.closes('reset')
    await target.closes('reset')
    await waitFor(() => proxy.connections === 0, { what: 'no connection to be left' })
  })

  it.each([
    ['target', 'client'],
    ['client', 'target'],
  ] as const)('leaves one half open when the %s is gone', async (gone, left) => {
    const ends = await connected()
    await echo(ends)
    proxy.halfOpen(gone)
    await ends[gone].closes('reset')
    ends[left].socket.write('anybody there?')
    await connected()
    expect(ends[left].closed).toBeNull()
  })

  it('refuses until healed', async () => {
    proxy.refuse()
    const refused = new End(connect(proxy.port, '127.0.0.1'))
    await refused.closes('reset')
    proxy.heal()
    await echo(await connected())
  })
})
