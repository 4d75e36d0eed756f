import { createHash } from 'node:crypto'
import type { Random } from '@relay/shared/random.js'
import { chance } from '@relay/shared/seeded-random.js'
import { Actor, EPOCH_MS, type World } from './world.js'
import type { OwnTime } from './own-time.js'
import type { Argument, Raw, Wire } from './wire.js'

/** What the server knows of a connection. */
export interface Connection {
  readonly actor: Actor
  isDeaf: boolean
  close(reason: string): void
  hear(channel: string, message: string): void
}

/** A turn of Redis' event loop: commands that arrive within it are answered together, ms. */
const TURN_MS = 0.4
const MIN_LATENCY_MS = 0.05
/** Real expiries are set this much later than the virtual ones: no key ends by itself, ms. */
const FAR_MS = 4_000_000_000_000

/**
 * Runs a script of relay unchanged under virtual time: a local `redis` hides the global one. TIME comes from an
 * extra argument; messages and expiries are returned beside the reply, for the simulator to act on.
 */
const BEFORE_SCRIPT = `local __us = tonumber(ARGV[#ARGV]); ARGV[#ARGV] = nil
local __out, __redis = {}, redis
local redis = setmetatable({ call = function(command, ...)
  local c, a = string.upper(command), { ... }
  if c == 'TIME' then
    return { string.format('%.0f', math.floor(__us / 1000000)), string.format('%.0f', __us % 1000000) }
  end
  if c == 'PUBLISH' then __out[#__out + 1] = { 'publish', a[1], a[2] }; return 0 end
  if c == 'EXPIRE' or c == 'PEXPIRE' then
    local at = math.floor(__us / 1000) + tonumber(a[2]) * (c == 'EXPIRE' and 1000 or 1)
    __out[#__out + 1] = { 'expire', a[1], string.format('%.0f', at) }
    return __redis.call('PEXPIREAT', a[1], string.format('%.0f', at + ${FAR_MS}))
  end
  return __redis.call(command, ...)
end }, { __index = __redis })
local function __main()
`
const AFTER_SCRIPT = `
end
return { __main() or false, __out }`

const EXPIRE = `if redis.call('PEXPIRETIME', KEYS[1]) == tonumber(ARGV[1]) then redis.call('DEL', KEYS[1]) end return 1`

/** Copies all of one database over another. Not SWAPDB: two restarts may go back to one snapshot. */
const COPY_ALL = `redis.call('SELECT', ARGV[2]) redis.call('FLUSHDB') redis.call('SELECT', ARGV[1])
for _, key in ipairs(redis.call('KEYS', '*')) do redis.call('COPY', key, key, 'DB', ARGV[2]) end return 1`

/** Texts and names of the scripts that any client has defined, by digest. */
const scripts = new Map<string, { readonly name: string; readonly text: string }>()
/** Digests of the scripts that the real Redis has loaded, by their own. */
const loaded = new Map<string, string>()

export function defineScript(name: string, text: string): void {
  scripts.set(sha1(text), { name, text })
}

export function scriptName(digest: string): string {
  return scripts.get(digest)?.name ?? 'unknown'
}

function sha1(text: string): string {
  return createHash('sha1').update(text).digest('hex')
}

export type ScriptObserver = (name: string, args: readonly Argument[], reply: Raw) => void

/**
 * One real Redis under virtual time. Its data is real; its run id and connections are simulated, and so are its clock,
 * messages and expiry, unless it has an `OwnTime`.
 */
export class SimRedisServer {
  readonly actor: Actor
  readonly connections = new Set<Connection>()
  /** Told of every script that was executed. */
  readonly observers: ScriptObserver[] = []
  run = 1
  isDown = false
  #clockSkewMs = 0
  readonly #setBack: { readonly atMs: number; readonly byMs: number }[] = []
  /** Commands may take up to 0.8 s until then. */
  slowUntilMs = 0
  readonly #world: World
  readonly #wire: Wire
  readonly #own: OwnTime | null
  readonly #latency: Random
  /** What becomes of commands on a connection that breaks, and when it is replaced. */
  readonly closing: Random
  /** When keys expire, Redis ms; a look at them is due then. */
  readonly #expiries = new Map<string, number>()
  #expiryDueMs = Infinity
  #turn: { readonly reply: Promise<Raw>; readonly deal: (reply: Raw) => void }[] = []

  /** `own`: scripts run unchanged, expiries and messages are those of the real Redis. */
  constructor(world: World, wire: Wire, own: OwnTime | null = null) {
    this.#world = world
    this.#wire = wire
    this.#own = own
    this.#latency = world.stream('latency')
    this.closing = world.stream('connections')
    this.actor = new Actor(world, 'redis')
  }

  get nowUs(): number {
    return Math.floor((EPOCH_MS + this.#world.nowMs + this.#clockSkewMs) * 1_000)
  }

  stepClock(ms: number): void {
    this.#clockSkewMs += ms
    if (ms < 0) this.#setBack.push({ atMs: this.#world.nowMs, byMs: -ms })
  }

  /** How far the clock was set back since `sinceMs`, ms: deadlines set before pass that much later. */
  setBackMs(sinceMs: number): number {
    return this.#setBack.reduce((sum, { atMs, byMs }) => sum + (atMs >= sinceMs ? byMs : 0), 0)
  }

  /** How long the next command or reply travels, ms. */
  latencyMs(): number {
    if (chance(this.#latency, 0.02)) return 1 + this.#latency.next() * 14
    return MIN_LATENCY_MS + this.#latency.next() * 0.45
  }

  slownessMs(): number {
    return this.#world.nowMs < this.slowUntilMs ? this.#latency.next() * 800 : 0
  }

  /** Asks the real Redis outside virtual time. */
  ask(...args: Argument[]): Promise<Raw> {
    return this.#wire.call(...args)
  }

  async snapshot(): Promise<void> {
    await this.ask('EVAL', COPY_ALL, '0', '0', '1')
  }

  /** Ends every connection; `forgets`: with the data of the last snapshot. */
  async restart(downMs: number, forgets: boolean): Promise<void> {
    this.run += 1
    this.isDown = true
    for (const connection of [...this.connections]) connection.close('restart')
    if (forgets) await this.ask('EVAL', COPY_ALL, '0', '1', '0')
    this.#world.in(downMs, this.actor, () => {
      this.isDown = false
      this.#world.log('redis is up again')
    })
  }

  /** Answers with the other commands of this turn. */
  answer(reply: Promise<Raw>, deal: (reply: Raw) => void): void {
    this.#turn.push({ reply, deal })
    if (this.#turn.length === 1) this.#world.in(TURN_MS, null, () => this.#answerTurn(), 'outside')
  }

  async #answerTurn(): Promise<void> {
    const turn = this.#turn
    this.#turn = []
    this.#own?.set(this.nowUs)
    this.#wire.flush()
    const replies = await Promise.all(turn.map(({ reply }) => reply))
    for (const message of (await this.#own?.messages()) ?? []) this.#publish(...message)
    turn.forEach(({ deal }, i) => deal(replies[i] ?? null))
  }

  execute(name: string, args: readonly Argument[]): Promise<Raw> {
    if (this.#own === null) this.#expireKeys()
    if (name === 'evalsha') return this.#script(args)
    const fixed = this.#fixedReply(name, args)
    if (fixed !== undefined) return Promise.resolve(fixed)
    if (this.#own === null && (name === 'expire' || name === 'pexpire')) {
      const ms = Number(args[1]) * (name === 'expire' ? 1_000 : 1)
      const atMs = Math.floor(this.nowUs / 1_000) + ms
      this.#expireAt(String(args[0]), atMs)
      return this.#wire.queue(['PEXPIREAT', args[0] ?? '', atMs + FAR_MS])
    }
    return this.#wire.queue([name, ...args])
  }

  #script([digest = '', ...rest]: readonly Argument[]): Promise<Raw> {
    const script = scripts.get(String(digest))
    if (script === undefined) throw new Error(`unknown script ${String(digest)}`)
    let known = loaded.get(String(digest))
    if (known === undefined) {
      const text = this.#own === null ? BEFORE_SCRIPT + script.text + AFTER_SCRIPT : script.text
      known = sha1(text)
      loaded.set(String(digest), known)
      void this.#wire.queue(['SCRIPT', 'LOAD', text])
    }
    const time = this.#own === null ? [this.nowUs] : []
    return this.#wire.queue(['EVALSHA', known, ...rest, ...time]).then((answer) => {
      const reply = this.#own === null ? this.#replyIn(answer) : answer
      for (const observe of this.observers) observe(script.name, rest, reply)
      return reply
    })
  }

  /** What a wrapped script replied; what it did besides happens now. */
  #replyIn(answer: Raw): Raw {
    if (!Array.isArray(answer)) return answer
    const [reply = null, effects] = answer
    for (const effect of effects as Buffer[][]) this.#act(effect.map(String))
    return reply
  }

  #act([what, subject = '', detail = '']: readonly string[]): void {
    if (what === 'publish') this.#publish(subject, detail)
    else this.#expireAt(subject, Number(detail))
  }

  #fixedReply(name: string, args: readonly Argument[]): Raw | undefined {
    switch (name) {
      case 'ping':
        return Buffer.from('PONG')
      case 'subscribe':
        return 1
      case 'time': {
        const us = this.nowUs
        return [Math.floor(us / 1e6), us % 1e6].map((n) => Buffer.from(String(n)))
      }
      case 'publish':
        if (this.#own !== null) return undefined
        this.#publish(String(args[0]), String(args[1]))
        return 1
      case 'info':
        return Buffer.from(
          `run_id:${String(this.run).padStart(40, '0')}\r\naof_enabled:1\r\nused_memory:1000000\r\nmaxmemory:0\r\n`,
        )
      default:
        return undefined
    }
  }

  #expireAt(key: string, atMs: number): void {
    this.#expiries.set(key, atMs)
    this.#expiryDueMs = Math.min(this.#expiryDueMs, atMs)
  }

  #expireKeys(): void {
    const nowMs = this.nowUs / 1_000
    if (nowMs < this.#expiryDueMs) return
    this.#expiryDueMs = Infinity
    for (const [key, atMs] of this.#expiries) {
      if (atMs > nowMs) this.#expiryDueMs = Math.min(this.#expiryDueMs, atMs)
      else {
        this.#expiries.delete(key)
        void this.#wire.queue(['EVAL', EXPIRE, 1, key, atMs + FAR_MS])
      }
    }
  }

  #publish(channel: string, message: string): void {
    for (const connection of this.connections) connection.hear(channel, message)
  }
}
