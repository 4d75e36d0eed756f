import { createHash } from 'node:crypto'
import { Redis, type Command } from 'ioredis'
import { chance } from '@relay/shared/seeded-random.js'
import { defineScript, scriptName, type SimRedisServer } from './redis-server.js'
import type { Actor, World } from './world.js'
import type { Argument, Raw } from './wire.js'

/** How long a command that was on its way when its connection broke may be executed late, ms. */
const MAX_LATE_MS = 4_000
/** Pauses between two tries to connect, ms. */
const RECONNECT_MS = [50, 100, 200, 400, 800, 1_000]
const CLOSED = 'Connection is closed.'
const NOT_SENT_AGAIN =
  'Reached the max retries per request limit (which is 0). Refer to "maxRetriesPerRequest" option for details.'
const NOT_READY = "Stream isn't writeable and enableOfflineQueue options is false"

interface InFlight {
  readonly command: Command
  hasArrived: boolean
  isDropped: boolean
  /** Executed this much later, after its connection is gone; 0: not late, ms. */
  lateMs: number
}

/** Commands, or replies, of one moment on one connection: they travel together. */
interface Packet<T> {
  readonly sentMs: number
  readonly parts: T[]
}

/** One simulated connection: commands and replies keep their order, and take their time. */
export class SimConnection {
  readonly actor: Actor
  isOpen = true
  isSubscribed = false
  /** Nothing arrives at the client any more, and no one notices. */
  isDeaf = false
  /** Commands of a MULTI that waits for its EXEC. */
  #transaction: { name: string; args: readonly Argument[] }[] | null = null
  readonly #client: SimRedis
  readonly #server: SimRedisServer
  readonly #world: World
  #inFlight: InFlight[] = []
  #out: Packet<InFlight> | null = null
  #back: Packet<() => void> | null = null
  /** When the last command arrives, and the last reply. */
  #outMs = 0
  #backMs = 0
  #heardMs = 0
  #isWatched = false

  constructor(client: SimRedis, server: SimRedisServer, world: World, actor: Actor) {
    this.#client = client
    this.#server = server
    this.#world = world
    this.actor = actor
    actor.onKill.push(() => this.#break(false))
  }

  send(command: Command): void {
    const sent: InFlight = { command, hasArrived: false, isDropped: false, lateMs: 0 }
    this.#inFlight.push(sent)
    if (this.#out?.sentMs === this.#world.nowMs) this.#out.parts.push(sent)
    else this.#sendPacket(sent)
    this.#world.reach(pointOf(command), this.actor)
    this.#watch()
  }

  #sendPacket(first: InFlight): void {
    const packet = { sentMs: this.#world.nowMs, parts: [first] }
    this.#out = packet
    const travelMs = this.#server.latencyMs() + this.#server.slownessMs()
    this.#outMs = Math.max(this.#outMs + 0.001, this.#world.nowMs + travelMs)
    const arrive = () => {
      for (const sent of packet.parts) this.#arrive(sent, '')
    }
    this.#world.at(this.#outMs, this.#server.actor, arrive, 'silent')
  }

  hear(channel: string, message: string): void {
    if (!this.isSubscribed || this.isDeaf) return
    this.#reply(() => {
      this.#world.log(`${this.actor.name} hears ${message}`)
      this.#client.emit('message', channel, message)
    })
  }

  /** The connection ends. Commands that have not arrived may be lost, or be executed late. */
  close(why: string): void {
    if (!this.isOpen) return
    const inFlight = this.#break(why === 'restart')
    this.#world.in(0.1 + this.#server.closing.next() * 3, this.actor, () => {
      this.#world.log(`${this.actor.name} loses its connection: ${why}`)
      this.#client.hasClosed(inFlight.map(({ command }) => command))
    })
  }

  #break(losesAll: boolean): readonly InFlight[] {
    const inFlight = this.#inFlight
    this.isOpen = false
    this.#inFlight = []
    this.#server.connections.delete(this)
    for (const sent of inFlight) {
      if (sent.hasArrived) continue
      if (losesAll || chance(this.#server.closing, 0.5)) sent.isDropped = true
      else sent.lateMs = this.#server.closing.next() * MAX_LATE_MS
    }
    return inFlight
  }

  #arrive(sent: InFlight, note: string): void {
    if (sent.isDropped || this.#server.isDown) return
    if (sent.lateMs > 0) {
      const late = () => this.#arrive(sent, ' LATE')
      this.#world.in(sent.lateMs, this.#server.actor, late, 'silent')
      sent.lateMs = 0
      return
    }
    sent.hasArrived = true
    const { name } = sent.command
    const args = sent.command.args as readonly Argument[]
    this.#server.answer(this.#execute(name, args), (reply) => {
      const line = `redis ${this.actor.name} ${said(name, args)}${note} -> ${shown(reply)}`
      this.#world.log(line)
      this.#answer(sent, reply)
    })
  }

  #execute(name: string, args: readonly Argument[]): Promise<Raw> {
    if (name === 'subscribe') this.isSubscribed = true
    if (name === 'multi') {
      this.#transaction = []
      return Promise.resolve(Buffer.from('OK'))
    }
    if (name === 'exec') {
      const queued = this.#transaction ?? []
      this.#transaction = null
      return Promise.all(queued.map((one) => this.#server.execute(one.name, one.args)))
    }
    if (this.#transaction !== null) {
      this.#transaction.push({ name, args })
      return Promise.resolve(Buffer.from('QUEUED'))
    }
    return this.#server.execute(name, args)
  }

  #answer(sent: InFlight, reply: Raw): void {
    if (this.isDeaf) return
    this.#reply(() => {
      this.#heardMs = this.#world.nowMs
      this.#inFlight.splice(this.#inFlight.indexOf(sent), 1)
      if (reply instanceof Error) sent.command.reject(reply)
      else sent.command.resolve(reply)
    })
  }

  #reply(deal: () => void): void {
    if (!this.isOpen) return
    const { nowMs } = this.#world
    if (this.#back?.sentMs === nowMs) {
      this.#back.parts.push(deal)
      return
    }
    const packet = { sentMs: nowMs, parts: [deal] }
    this.#back = packet
    this.#backMs = Math.max(this.#backMs + 0.001, nowMs + this.#server.latencyMs())
    this.#world.at(this.#backMs, this.actor, () => {
      for (const part of packet.parts) if (this.isOpen) part()
    })
  }

  /** As `socketTimeout` does, replaces a connection on which no reply came to what was asked. */
  #watch(): void {
    if (this.#isWatched) return
    this.#isWatched = true
    const fromMs = this.#world.nowMs
    const look = () => {
      this.#isWatched = false
      if (!this.isOpen || this.#inFlight.length === 0) return
      if (this.#heardMs <= fromMs) this.close('silence')
      else this.#watch()
    }
    this.#world.in(this.#client.silenceMs, this.actor, look, 'silent')
  }
}

/** ioredis with its transport replaced: how it takes arguments, reads replies and times out stays its own. */
export class SimRedis extends Redis {
  readonly silenceMs: number
  readonly #world: World
  readonly #server: SimRedisServer
  readonly #actor: Actor
  connection: SimConnection | null = null
  #hasEnded = false

  constructor(world: World, server: SimRedisServer, actor: Actor, commandTimeoutMs: number) {
    super({
      ...{ lazyConnect: true, enableOfflineQueue: false, maxRetriesPerRequest: 0 },
      commandTimeout: commandTimeoutMs,
    })
    this.#world = world
    this.#server = server
    this.#actor = actor
    this.silenceMs = commandTimeoutMs * 2
    this.on('error', () => undefined)
    this.status = 'connecting'
    this.#connect(0)
  }

  override disconnect(reconnect = false): void {
    if (!reconnect) this.#hasEnded = true
    this.connection?.close('disconnect')
  }

  override defineCommand(name: string, definition: { lua: string; numberOfKeys?: number }): void {
    defineScript(name.replace('relay:', ''), definition.lua)
    super.defineCommand(name, definition)
  }

  override sendCommand(command: Command): unknown {
    const inner = command as Command & { setReplyContext(context: unknown): void }
    inner.setReplyContext((this as unknown as { condition?: unknown }).condition ?? this.options)
    if (this.status !== 'ready' || this.connection?.isOpen !== true) {
      command.reject(new Error(NOT_READY))
      return command.promise
    }
    if (this.options.commandTimeout !== undefined) command.setTimeout(this.options.commandTimeout)
    this.connection.send(command)
    return command.promise
  }

  hasClosed(unanswered: readonly Command[]): void {
    this.status = 'close'
    this.emit('close')
    const why = this.#hasEnded ? CLOSED : NOT_SENT_AGAIN
    for (const command of unanswered) command.reject(new Error(why))
    this.status = 'reconnecting'
    this.#connect(0)
  }

  #connect(attempt: number): void {
    if (this.#hasEnded) return
    const waitMs = attempt === 0 ? 1.5 + this.#server.closing.next() * 4.5 : (RECONNECT_MS[attempt] ?? 1_000) // prettier-ignore
    this.#world.in(waitMs, this.#actor, () => {
      if (this.#server.isDown || this.#actor.cutUntilMs > this.#world.nowMs) {
        this.#connect(attempt + 1)
        return
      }
      this.connection = new SimConnection(this, this.#server, this.#world, this.#actor)
      this.#server.connections.add(this.connection)
      this.status = 'ready'
      this.emit('ready')
    })
  }
}

/** Name of a command's script. The late execution of a settle of a chunk in part could undo a newer one. */
function pointOf({ name, args }: Command): string {
  if (name !== 'evalsha') return name
  const script = scriptName(String(args[0]))
  const isPartial = script === 'settle' && args.length > 8 + Number(args[7])
  return isPartial ? 'partial settle' : script
}

/** A command as a line of the trace shows it: its name, and a digest of its arguments. */
function said(name: string, args: readonly Argument[]): string {
  const hash = createHash('sha1')
  for (const arg of args) hash.update(Buffer.isBuffer(arg) ? arg : String(arg)).update('|')
  const digest = hash.digest('hex').slice(0, 8)
  if (name !== 'evalsha') return `${name} ${args.map(String).join(' ').slice(0, 60)} #${digest}`
  return `${scriptName(String(args[0]))} ${String(args[2]).slice(0, 60)} #${digest}`
}

function shown(reply: Raw): string {
  if (Array.isArray(reply)) {
    const more = reply.length > 4 ? `,…${reply.length}` : ''
    return `[${reply.slice(0, 4).map(shown).join(',')}${more}]`
  }
  if (Buffer.isBuffer(reply)) return reply.length > 40 ? `<${reply.length}>` : reply.toString('latin1') // prettier-ignore
  return reply instanceof Error ? reply.message : String(reply)
}
