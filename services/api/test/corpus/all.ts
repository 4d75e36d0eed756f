import type { ElementCase } from './case.js'
import { DEVICE_CASES, EVENT_CASES } from './events.js'
import { SILENT_EVENT_CASES } from './silent-events.js'
import { MORE_SILENT_CASES } from './silent-more.js'
import { SILENT_USER_CASES } from './silent-users.js'
import { USER_CASES } from './users.js'
import { VALUE_CASES } from './values.js'

/** Every table of elements. */
export const TABLES = {
  USER_CASES,
  EVENT_CASES,
  DEVICE_CASES,
  VALUE_CASES,
  SILENT_USER_CASES,
  SILENT_EVENT_CASES,
  MORE_SILENT_CASES,
}

export const ELEMENT_CASES: readonly ElementCase[] = Object.values(TABLES).flat()
