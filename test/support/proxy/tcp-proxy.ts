import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { LOOPBACK } from '@relay/tools/process/port.js'
import { Lane, type Fault } from './lane.js'

export type { Fault } from './lane.js'

/** `up`: from the client to the target. `down`: back. */
export type Direction = 'up' | 'down'
export type Side = 'client' | 'target'

export interface TcpProxy {
  readonly port: number
  /** Connections that are open on either side. */
  readonly connections: number
  /** Whether a connection to the target had this port at this end. */
  hadPort(port: number): boolean
  /** Bytes on the way to the target that it holds back. */
  readonly heldBytes: number
  /** Applies to open and to later connections; replaces what was set before. */
  set(fault: Fault, direction?: Direction): void
  /** All bytes flow again, those held first; connections are accepted again. */
  heal(): void
  /** Resets all connections on both sides; what it holds is lost. */
  cut(): void
  /** Resets one side of all connections; the other is told nothing and its bytes are swallowed. */
  halfOpen(gone: Side): void
  /** From now on connections are reset as soon as they are made. */
  refuse(): void
  /** Cuts everything and stops listening. */
  stop(): Promise<void>
}

/** Called for each connection: what it returns gets the bytes that the client is sent. */
export type Watch = () => ((bytes: Buffer) => void) | undefined

interface Connection {
  readonly client: Socket
  readonly target: Socket
  readonly up: Lane
  readonly down: Lane
  /** Set once one side was taken away on purpose. */
  half: boolean
}

/**
 * A TCP proxy on loopback that misbehaves as told. When the client closes, what it holds is dropped
 * in both directions and the target's side reset at once: nothing of a request arrives after its
 * sender gave up. When the target closes in order, the client still gets earlier data.
 */
export async function startProxy(
  target: { readonly port: number },
  watch: Watch = () => undefined,
): Promise<TcpProxy> {
  const faults: Record<Direction, Fault> = { up: {}, down: {} }
  const open = new Set<Connection>()
  const ports = new Set<number>()
  let refusing = false
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    if (refusing) client.resetAndDestroy()
    else join(client, connectTo(target, ports), faults, open, watch)
  })
  await once(server.listen(0, LOOPBACK), 'listening')
  const each = (act: (connection: Connection) => void) => {
    for (const connection of [...open]) act(connection)
  }
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return open.size
    },
    hadPort: (one) => ports.has(one),
    get heldBytes() {
      return heldBytes(open)
    },
    set: (fault, direction) => {
      const directions = direction === undefined ? (['up', 'down'] as const) : [direction]
      for (const one of directions) faults[one] = fault
      each((connection) => {
        for (const one of directions) connection[one].set(fault)
      })
    },
    heal: () => {
      refusing = false
      faults.up = faults.down = {}
      each(resume)
    },
    cut: () => each(reset),
    halfOpen: (gone) => {
      each((connection) => {
        connection.half = true
        connection.up.discard()
        connection.down.discard()
        connection[gone].resetAndDestroy()
      })
    },
    refuse: () => {
      refusing = true
    },
    stop: () => {
      each(reset)
      return closed(server)
    },
  }
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
  })
}

function heldBytes(open: Iterable<Connection>): number {
  let bytes = 0
  for (const { up } of open) bytes += up.waitingBytes
  return bytes
}

function join(
  client: Socket,
  target: Socket,
  faults: Record<Direction, Fault>,
  open: Set<Connection>,
  watch: Watch,
): void {
  const up = new Lane(client, target, faults.up, () => (faults.up = {}))
  const down = new Lane(target, client, faults.down, () => (faults.down = {}), watch())
  const connection: Connection = { client, target, up, down, half: false }
  open.add(connection)
  // An error is always followed by a close.
  client.on('error', () => undefined)
  target.on('error', () => undefined)
  client.on('end', () => {
    if (connection.half) client.destroy()
    else if (up.isLate) outlive(connection)
    else reset(connection)
  })
  target.on('end', () => {
    if (connection.half) target.destroy()
    else down.end()
  })
  const closed = (hadError: boolean) => {
    // A close after an orderly end of the target leaves what the client has yet to get.
    if (hadError && !connection.half) reset(connection)
    if (client.destroyed && target.destroyed) open.delete(connection)
  }
  client.on('close', () => {
    if (!connection.half && up.isLate) outlive(connection)
    closed(true)
  })
  target.on('close', closed)
}

/** The client has gone; what it had sent reaches the target when the lane is healed. */
function outlive(connection: Connection): void {
  connection.half = true
  connection.client.destroy()
  connection.down.discard()
  connection.up.end()
}

function resume({ up, down }: Connection): void {
  up.set({})
  down.set({})
}

function reset({ client, target, up, down }: Connection): void {
  up.discard()
  down.discard()
  client.resetAndDestroy()
  target.resetAndDestroy()
}

function connectTo({ port }: { port: number }, ports: Set<number>): Socket {
  const socket = connect({ port, host: LOOPBACK, allowHalfOpen: true, noDelay: true })
  socket.once('connect', () => {
    if (socket.localPort !== undefined) ports.add(socket.localPort)
  })
  return socket
}
