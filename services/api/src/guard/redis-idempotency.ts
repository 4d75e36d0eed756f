import { createHash } from 'node:crypto'
import { workspaceKeys } from '@relay/shared/queue/keys.js'
import type { RedisClient } from '@relay/shared/redis/connect.js'
import { runScript, runTexts, script } from '@relay/shared/redis/script.js'
import type { Claim, ClaimOutcome, ClaimRequest, Idempotency, Recalled } from '../accept/ports.js'

const CLAIM = script('idempotency-claim', 3)
const END = script('idempotency-end', 3)

const DAY_MS = 86_400_000
/** A claim without an answer expires after this, ms; longer than any try. */
const CLAIM_MS = 3_000
/** Bytes that identify a key: among 10^12 keys a collision has a probability of 10^-5. */
const DIGEST_BYTES = 12

/** Bytes of a record in Redis, including its share of the hash. Measured 2026-11, Redis 7.0. */
const RECORD_BYTES = 320

interface OwnClaim extends Claim {
  readonly appId: string
  readonly producer: string
  readonly claimedAtMs: number
}

/** What idempotency-claim.lua stores of a key. */
interface KeyRecord {
  readonly body: string
  readonly id: string
  readonly at: number
  readonly since: number
  readonly status?: number
  readonly form?: string
}

/** Stores for 24 h which request was answered for an Idempotency-Key, in a fixed number of bytes. */
export class RedisIdempotency implements Idempotency {
  readonly #client: RedisClient
  readonly #prefix: string
  readonly #maxBytes: () => number

  /** `maxBytes`: limit of one producer's records in one workspace. */
  constructor(client: RedisClient, prefix: string, maxBytes: () => number) {
    this.#client = client
    this.#prefix = prefix
    this.#maxBytes = maxBytes
  }

  async claim(request: ClaimRequest): Promise<ClaimOutcome> {
    const { appId, producer, requestId, nowMs } = request
    const digest = digestOf(request)
    const reply = await runTexts(this.#client, CLAIM, this.#keys(appId, nowMs), [
      digest,
      bodyDigest(request),
      requestId,
      CLAIM_MS,
      DAY_MS,
      nowMs,
      counterOf(producer),
      Math.floor(this.#maxBytes()),
      RECORD_BYTES,
    ]).catch(() => null)
    const [state = 'unavailable', first = '', second, third = ''] = reply ?? []
    switch (state) {
      case 'new':
      case 'resumed': {
        const claim: OwnClaim = {
          state,
          requestId: first,
          acceptedAtMs: Number(second),
          digest: Buffer.concat([digest, secondsOf(Number(third))]),
          appId,
          producer,
          claimedAtMs: nowMs,
        }
        return claim
      }
      case 'replay':
        return {
          state,
          first: { requestId: first, acceptedAtMs: Number(second), form: third },
        }
      case 'mismatch':
      case 'running':
      case 'full':
        return { state }
      default:
        return { state: 'unavailable' }
    }
  }

  async recall(request: Omit<ClaimRequest, 'requestId'>): Promise<Recalled | null> {
    const { appId, nowMs } = request
    const digest = digestOf(request)
    const stored = await Promise.all(
      this.#keys(appId, nowMs).map((key) => this.#client.hget(key, digest)),
    ).catch(() => null)
    if (stored === null) return { state: 'unavailable' }
    const records = stored.flatMap((text) => (text === null ? [] : [JSON.parse(text) as KeyRecord]))
    const record = records.find(({ since }) => nowMs - since <= DAY_MS)
    if (record === undefined) return null
    if (record.body !== bodyDigest(request)) return { state: 'mismatch' }
    const { status, id: requestId, at: acceptedAtMs, form = '' } = record
    if (status === undefined) return null
    return { state: 'replay', first: { requestId, acceptedAtMs, form } }
  }

  complete(claim: Claim, form: string): Promise<void> {
    return this.#end(claim as OwnClaim, 'answered', form)
  }

  release(claim: Claim, ended: 'unknown' | 'refused'): Promise<void> {
    return this.#end(claim as OwnClaim, ended, '')
  }

  /** If Redis does not answer, the claim expires, and a repeated post is recognised. */
  async #end(claim: OwnClaim, outcome: string, form: string): Promise<void> {
    const keys = this.#keys(claim.appId, claim.claimedAtMs)
    const key = claim.digest.subarray(0, DIGEST_BYTES)
    const args = [key, claim.requestId, outcome, form, counterOf(claim.producer), RECORD_BYTES]
    await runScript(this.#client, END, keys, args).catch(() => undefined)
  }

  #keys(appId: string, nowMs: number): string[] {
    const day = Math.floor(nowMs / DAY_MS)
    const { idempotency } = workspaceKeys(this.#prefix, appId)
    return [idempotency(day), idempotency(day - 1), idempotency(day + 1)]
  }
}

type KeyUse = Pick<ClaimRequest, 'producer' | 'appId' | 'key' | 'bodyHash'>

function digestOf({ producer, appId, key }: KeyUse): Buffer {
  const hash = createHash('sha256').update(`${producer}\0${appId}\0${key}`)
  return hash.digest().subarray(0, DIGEST_BYTES)
}

/** Field of a day's hash that counts a producer's bytes; longer than a digest. */
function counterOf(producer: string): string {
  return `bytes:${createHash('sha256').update(producer).digest('hex').slice(0, 16)}`
}

function bodyDigest({ bodyHash }: KeyUse): string {
  return bodyHash.toString('base64', 0, 18)
}

/** As stored next to a digest in the queues: 4 bytes, s since 1970. */
function secondsOf(sinceMs: number): Buffer {
  const seconds = Buffer.alloc(4)
  seconds.writeUInt32BE(Math.floor(sinceMs / 1000), 0)
  return seconds
}
