import { call, type Reply } from '../http.js'
import { APP_ID, PRODUCER } from '../stack/settings.js'

export interface Sent {
  /** Of an api. */
  readonly url: string
  readonly lane: 'realtime' | 'backfill'
  /** Idempotency-Key; null: none. */
  readonly key: string | null
  readonly body: string
}

const TIMEOUT_MS = 3_000
const CREDENTIALS = Buffer.from(`${APP_ID}:${PRODUCER.secret}`).toString('base64')

/** Posts once; null when there was no answer. */
export function send({ url, lane, key, body }: Sent): Promise<Reply | null> {
  const headers = {
    'content-type': 'application/json',
    authorization: `Basic ${CREDENTIALS}`,
    'relay-lane': lane,
    ...(key === null ? {} : { 'idempotency-key': key }),
  }
  const target = `${url}/v1/transition/${APP_ID}`
  return call({ url: target, method: 'POST', headers, body, timeoutMs: TIMEOUT_MS }).catch(
    () => null,
  )
}
