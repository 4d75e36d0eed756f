import { isObject, type Json, type Reporter } from './findings.js'
import { ACTION_FIELD_TYPES } from './fields.js'
import { parseTime, type Time } from './format.js'
import {
  ATTRIBUTES_PER_EVENT,
  FUTURE_TOLERANCE_MS,
  NAME_CHARACTERS,
  OLD_EVENT_MS,
  PROBLEMS_PER_ELEMENT,
  TIMEZONE_OFFSET_SECONDS,
  TIMEZONE_STEP_SECONDS,
} from './limits.js'
import { EVENT_PLATFORMS, RESERVED_PREFIX, STANDARD_EVENT_ATTRIBUTES } from './names.js'
import { checkUserIdentifiers } from './identifiers.js'
import { lintActionMembers } from './members.js'
import { checkStandard, checkValues, isRemarkableValue } from './values.js'

const NONE: ReadonlySet<string> = new Set()

/** openapi, CreateEventRequest. */
export function checkEvent(event: Json, reporter: Reporter): void {
  const { index, findings } = reporter
  const { device_id: deviceId = null, user_identifiers: identifiers = null, actions } = event
  if (deviceId !== null && typeof deviceId !== 'string') {
    findings.add('wrongType', index, 'device_id', 'string')
  }
  const isNamed = typeof event.customer_id === 'string'
  if (identifiers !== null) checkUserIdentifiers(identifiers, isNamed, reporter)
  else if (event.customer_id === undefined) {
    findings.add('noIdentity', index, 'customer_id', 'user_identifiers')
  }
  if (actions === undefined) findings.add('missing', index, 'actions', 'actions')
  else if (!Array.isArray(actions)) findings.add('wrongType', index, 'actions', 'array')
  else if (actions.length === 0) findings.add('empty', index, 'actions', 'actions')
  else {
    const mostProblems = findings.problemCount + PROBLEMS_PER_ELEMENT
    for (let i = 0; i < actions.length && findings.problemCount < mostProblems; i++) {
      checkAction(actions[i], i, reporter)
    }
  }
}

function checkAction(action: unknown, position: number, reporter: Reporter): void {
  const { index, findings } = reporter
  // The path is only built when needed: most actions have no findings.
  const at = (field: string) => `actions[${position}]${field}`
  if (!isObject(action)) {
    findings.add('wrongType', index, at(''), 'object')
    return
  }
  checkActionName(action.action, at, reporter)
  for (const [field, type] of ACTION_FIELD_TYPES) {
    const value = action[field]
    if (value !== undefined && value !== null && !type.accepts(value)) {
      findings.add('wrongType', index, at(`.${field}`), type.expected)
    }
  }
  lintPlatform(action, at, reporter)
  checkTimes(action, at, reporter)
  const { attributes = null } = action
  if (attributes !== null) checkAttributes(attributes, at, reporter)
  // A sparsely read action has only known members, and no null.
  if (!reporter.isPlain) lintActionMembers(action, at(''), reporter)
}

type Path = (field: string) => string

function checkActionName(name: unknown, at: Path, { index, findings, names }: Reporter): void {
  if (name === undefined) findings.add('missing', index, at('.action'), 'action')
  else if (typeof name !== 'string') findings.add('wrongType', index, at('.action'), 'string')
  else if (isBlank(name)) findings.add('emptyAction', index, at('.action'))
  else if (name.startsWith(RESERVED_PREFIX) && !names.allowed.has(name)) {
    findings.add('reservedName', index, at('.action'))
  } else if (name.length > NAME_CHARACTERS) findings.add('longName', index, at('.action'))
}

/** Most names begin with an ASCII letter and need no further check. */
function isBlank(name: string): boolean {
  const first = name.charCodeAt(0)
  return !(first > 0x20 && first < 0x80) && name.trim() === ''
}

function lintPlatform(action: Json, at: Path, { index, findings }: Reporter): void {
  const { platform, moe_os_type: system = null } = action
  if (typeof platform === 'string' && !EVENT_PLATFORMS.has(platform)) {
    findings.add('platformSpelling', index, at('.platform'), [...EVENT_PLATFORMS].join(', '))
  }
  if (system !== null && platform !== 'TV') {
    findings.add('platformOfTv', index, at('.moe_os_type'))
  }
}

function checkAttributes(attributes: unknown, at: Path, reporter: Reporter): void {
  const { index, findings, names, isPlain } = reporter
  if (!isObject(attributes)) {
    findings.add('wrongType', index, at('.attributes'), 'object')
    return
  }
  let count = 0
  let isRemarkable = !isPlain
  for (const name in attributes) {
    count++
    if (isRemarkableValue(attributes[name])) isRemarkable = true
    if (name === '') findings.add('emptyName', index, at('.attributes.'))
    if (!name.startsWith(RESERVED_PREFIX)) continue
    if (!STANDARD_EVENT_ATTRIBUTES.has(name)) {
      if (!names.allowed.has(name)) findings.add('reservedName', index, at(`.attributes.${name}`))
    } else checkStandard(attributes[name], at(`.attributes.${name}`), reporter)
  }
  if (count > ATTRIBUTES_PER_EVENT) findings.add('manyAttributes', index, at('.attributes'))
  if (isRemarkable) checkValues(attributes, at('.attributes'), NONE, reporter)
}

function checkTimes(action: Json, at: Path, reporter: Reporter): void {
  const { index, findings } = reporter
  const offset = action.user_timezone_offset ?? undefined
  if (offset !== undefined && typeof offset !== 'number') {
    findings.add('wrongType', index, at('.user_timezone_offset'), 'number')
  } else if (offset !== undefined && Math.abs(offset) > TIMEZONE_OFFSET_SECONDS) {
    findings.add('timezoneOffset', index, at('.user_timezone_offset'))
  } else if (offset !== undefined && offset % TIMEZONE_STEP_SECONDS !== 0) {
    findings.add('offsetUnit', index, at('.user_timezone_offset'))
  }
  const current = action.current_time ?? undefined
  const user = action.user_time ?? undefined
  if (current !== undefined) checkTime(current, 0, at('.current_time'), reporter)
  if (user !== undefined) {
    checkTime(user, localLeadMs(user, current, offset), at('.user_time'), reporter)
  }
}

/**
 * How far ahead of UTC a `user_time` can legitimately be: it is local time, and MoEngage takes the
 * zone from `user_timezone_offset`, or ignores `user_time` if there is a `current_time`. Without
 * either, a time with a zone is compared as it is.
 */
function localLeadMs(user: unknown, current: unknown, offset: unknown): number {
  if (typeof offset === 'number') return Math.max(0, offset) * 1000
  if (current !== undefined) return TIMEZONE_OFFSET_SECONDS * 1000
  const time = parseTime(user)
  return time !== null && !time.zoned ? TIMEZONE_OFFSET_SECONDS * 1000 : 0
}

function checkTime(value: unknown, leadMs: number, path: string, reporter: Reporter): void {
  const { index, findings, nowMs } = reporter
  const time: Time | null = parseTime(value)
  if (time === null) findings.add('notATime', index, path)
  else if (time.epochMs - leadMs > nowMs + FUTURE_TOLERANCE_MS) {
    findings.add('futureTime', index, path)
  } else if (time.epochMs < nowMs - OLD_EVENT_MS) findings.add('oldTime', index, path)
}
