import { IDENTIFIER_ATTRIBUTES } from '@relay/shared/vendor/user-attributes.js'

/** The names that a workspace defines in addition to the documented ones. */
export interface Vocabulary {
  /** Attributes that identify a user in the workspace, in order of preference. */
  readonly preferred: readonly string[]
  /** Every attribute that may identify a user: those, then the standard ones. */
  readonly identifying: readonly string[]
  /** Names with the reserved prefix that are allowed in the workspace. */
  readonly allowed: ReadonlySet<string>
}

/** What a workspace is configured with; see shared/config/workspace. */
export interface NamesOfWorkspace {
  readonly identifiers?: readonly string[] | undefined
  readonly allowedNames?: readonly string[] | undefined
}

export const STANDARD_VOCABULARY: Vocabulary = {
  preferred: [],
  identifying: IDENTIFIER_ATTRIBUTES,
  allowed: new Set(),
}

const known = new WeakMap<NamesOfWorkspace, Vocabulary>()

/** One object per configured workspace, so that derived values can be cached. */
export function vocabularyOf(workspace: NamesOfWorkspace): Vocabulary {
  const { identifiers = [], allowedNames = [] } = workspace
  if (identifiers.length === 0 && allowedNames.length === 0) return STANDARD_VOCABULARY
  const before = known.get(workspace)
  if (before !== undefined) return before
  const vocabulary = {
    preferred: identifiers,
    identifying: [...new Set([...identifiers, ...IDENTIFIER_ATTRIBUTES])],
    allowed: new Set(allowedNames),
  }
  known.set(workspace, vocabulary)
  return vocabulary
}
