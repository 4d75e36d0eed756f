import { randomBytes } from 'node:crypto'

/** Randomness as a port, so that a seed can reproduce a run. */
export interface Random {
  /** Uniform in [0, 1). For jitter. */
  next(): number
  /** Unpredictable bytes. For identifiers. */
  bytes(length: number): Buffer
}

export const systemRandom: Random = {
  next: () => Math.random(),
  bytes: (length) => randomBytes(length),
}
