import type { Drill } from './drill.js'
import { MOENGAGE_DRILLS } from './moengage.js'
import { PRODUCER_DRILLS } from './producers.js'
import { REDIS_DRILLS } from './redis.js'
import { WORKER_DRILLS } from './workers.js'

export const DRILLS: readonly Drill[] = [
  ...MOENGAGE_DRILLS,
  ...REDIS_DRILLS,
  ...PRODUCER_DRILLS,
  ...WORKER_DRILLS,
]
