import { createHash } from 'node:crypto'
import { workspaceKeys } from '@relay/shared/queue/keys.js'
import type { RedisClient } from '@relay/shared/redis/connect.js'
import {
  luaText,
  replyList,
  replyText,
  runScript,
  type Script,
} from '@relay/shared/redis/script.js'
import type { Claim, ClaimOutcome, ClaimRequest, Idempotency } from '../accept/ports.js'

const CLAIM: Script = {
  name: 'idempotency-claim',
  text: luaText('idempotency-claim.lua'),
  keys: 2,
}
const END: Script = { name: 'idempotency-end', text: luaText('idempotency-end.lua'), keys: 2 }

const DAY_MS = 86_400_000
/** A claim without an answer holds this long: longer than any try can take, ms. */
const CLAIM_MS = 3_000
/** As many bytes identify a key: two of 10^12 keys collide with odds of one in 10^5. */
const DIGEST_BYTES = 12

interface OwnClaim extends Claim {
  readonly appId: string
  readonly claimedAtMs: number
}

/** Remembers answers by Idempotency-Key in Redis, for 24 h. */
export class RedisIdempotency implements Idempotency {
  readonly #client: RedisClient
  readonly #prefix: string

  constructor(client: RedisClient, prefix: string) {
    this.#client = client
    this.#prefix = prefix
  }

  async claim(request: ClaimRequest): Promise<ClaimOutcome> {
    const { producer, appId, key, bodyHash, requestId, nowMs } = request
    const digest = createHash('sha256')
      .update(`${producer}\0${appId}\0${key}`)
      .digest()
      .subarray(0, DIGEST_BYTES)
    const reply = await runScript(this.#client, CLAIM, this.#keys(appId, nowMs), [
      digest,
      bodyHash.toString('base64', 0, 18),
      requestId,
      CLAIM_MS,
      DAY_MS,
      nowMs,
    ]).then(replyList, () => null)
    const [state = 'unavailable', first, second] = reply?.map(replyText) ?? []
    switch (state) {
      case 'new':
      case 'resumed': {
        const claim: OwnClaim = {
          state,
          requestId: first ?? '',
          acceptedAtMs: Number(second),
          digest,
          appId,
          claimedAtMs: nowMs,
        }
        return claim
      }
      case 'replay':
        return { state, status: Number(first), body: second ?? '' }
      case 'mismatch':
      case 'running':
        return { state }
      default:
        return { state: 'unavailable' }
    }
  }

  complete(claim: Claim, { status, body }: { status: number; body: string }): Promise<void> {
    return this.#end(claim as OwnClaim, String(status), body)
  }

  release(claim: Claim): Promise<void> {
    return this.#end(claim as OwnClaim, '', '')
  }

  /** Without an answer from Redis the claim runs out by itself, and a repeated post is recognised. */
  async #end(claim: OwnClaim, status: string, body: string): Promise<void> {
    const keys = this.#keys(claim.appId, claim.claimedAtMs)
    const args = [claim.digest, claim.requestId, status, body]
    await runScript(this.#client, END, keys, args).catch(() => undefined)
  }

  #keys(appId: string, nowMs: number): string[] {
    const day = Math.floor(nowMs / DAY_MS)
    const { idempotency } = workspaceKeys(this.#prefix, appId)
    return [idempotency(day), idempotency(day - 1)]
  }
}
