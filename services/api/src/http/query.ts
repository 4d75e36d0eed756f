import type { Detail, Refusal } from '../refusal.js'
import { parametersRefusal } from './headers.js'

/** The options in the query of an authenticated request. */
export interface IntakeQuery {
  /** The project of a Portfolio workspace that the elements belong to; null: none. */
  readonly projectCode: string | null
  /** Parameters that relay does not carry, one entry each. */
  readonly warnings: readonly Detail[]
}

export type QueryOutcome =
  | { readonly ok: true; readonly query: IntakeQuery }
  | { readonly ok: false; readonly refusal: Refusal }

/** Longest project code, characters. The vendor states no limit; own choice. */
const PROJECT_CODE_CHARACTERS = 100

const PROJECT_CODE = new RegExp(`^[\\x21-\\x7e]{1,${String(PROJECT_CODE_CHARACTERS)}}$`)

/** Maximum unknown parameters that one answer names. */
const MAX_NAMED = 20

/** Maximum length of a parameter name in an answer, characters. */
const NAME_CHARACTERS = 100

const EMPTY: QueryOutcome = { ok: true, query: { projectCode: null, warnings: [] } }

/**
 * Reads the query of `url`. `known` lists the parameters that the route reads itself; `app_id` is
 * always known.
 */
export function readQuery(url: string, known: readonly string[] = []): QueryOutcome {
  const mark = url.indexOf('?')
  if (mark < 0) return EMPTY
  const parameters = new URLSearchParams(url.slice(mark + 1))
  const codes = parameters.getAll('project_code')
  const [code = null] = codes
  const isWrong = codes.length > 1 || (code !== null && !PROJECT_CODE.test(code))
  const isRepeated = parameters.getAll('app_id').length > 1
  const details = [
    ...(isRepeated ? [REPEATED_APP_ID] : []),
    ...(isWrong ? [WRONG_PROJECT_CODE] : []),
  ]
  const refusal = parametersRefusal(details)
  if (refusal !== null) return { ok: false, refusal }
  const unknown = new Set(
    [...parameters.keys()].filter((name) => !TAKEN.has(name) && !known.includes(name)),
  )
  const warnings = [...unknown].slice(0, MAX_NAMED).map(notCarried)
  return { ok: true, query: { projectCode: code, warnings } }
}

const TAKEN: ReadonlySet<string> = new Set(['app_id', 'project_code'])

const REPEATED_APP_ID: Detail = { attribute: 'app_id', message: 'app_id must be given once' }

const WRONG_PROJECT_CODE: Detail = {
  attribute: 'project_code',
  message: `project_code must be given once, with 1 to ${String(PROJECT_CODE_CHARACTERS)} printable ASCII characters without spaces`,
}

function notCarried(name: string): Detail {
  const attribute = name.slice(0, NAME_CHARACTERS)
  const message = 'unknown query parameter; relay does not send it to MoEngage'
  return { attribute, message }
}
