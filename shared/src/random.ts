import { randomBytes } from 'node:crypto'

/** Randomness as a port, so that a seed can reproduce a run. */
export interface Random {
  /** Uniform in [0, 1). For jitter. */
  next(): number
  /** Unpredictable bytes. For identifiers. */
  bytes(length: number): Buffer
}

/** Drawn at a time, bytes: the call costs more than the bytes. */
const POOL_BYTES = 4_096
let pool = Buffer.alloc(0)

/** Each byte is given out once. */
function fromPool(length: number): Buffer {
  if (pool.length < length) pool = randomBytes(Math.max(length, POOL_BYTES))
  const bytes = pool.subarray(0, length)
  pool = pool.subarray(length)
  return bytes
}

export const systemRandom: Random = {
  next: () => Math.random(),
  bytes: fromPool,
}
