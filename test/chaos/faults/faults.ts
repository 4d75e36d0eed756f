import type { Fault } from './fault.js'
import { NETWORK_FAULTS } from './network.js'
import { OPERATOR_FAULTS } from './operator.js'
import { PROCESS_FAULTS } from './processes.js'
import { REDIS_FAULTS } from './redis.js'
import { VENDOR_FAULTS } from './vendor.js'

export const FAULTS: readonly Fault[] = [
  ...PROCESS_FAULTS,
  ...REDIS_FAULTS,
  ...NETWORK_FAULTS,
  ...VENDOR_FAULTS,
  ...OPERATOR_FAULTS,
]
