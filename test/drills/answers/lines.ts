import type { Line } from './line.js'
import { OPERATOR_LINES } from './operators.js'
import { REDIS_LINES } from './redis.js'
import { REPOSITORY_LINES } from './repository.js'
import { WORKER_LINES } from './workers.js'

/** By the first of their numbers. */
export const LINES: readonly Line[] = [
  ...WORKER_LINES,
  ...REDIS_LINES,
  ...OPERATOR_LINES,
  ...REPOSITORY_LINES,
].sort((a, b) => (a.lines[0] ?? 0) - (b.lines[0] ?? 0))
