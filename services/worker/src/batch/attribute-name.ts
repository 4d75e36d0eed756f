import { NAME_CHARACTERS } from '@relay/shared/vendor/limits.js'
import {
  ADD_TO_ARRAY,
  CREATE_ONLY_ATTRIBUTES,
  IDENTIFIER_ATTRIBUTES,
  isStandardAttribute,
  REMOVE_FROM_ARRAY,
} from '@relay/shared/vendor/user-attributes.js'

/** Properties of a user attribute's name that coalescing needs. */
export interface AttributeName {
  /** With escapes resolved: `"a"` and `"\u0061"` are one name. */
  readonly name: string
  /** Equal for names that a lax reader could take for one. */
  readonly key: string
  /** Whether an update with it may be joined with another at all. */
  readonly joins: boolean
  /** Whether its value can name a user, to any reader. */
  readonly identifies: boolean
  /** Whether it has a special meaning at MoEngage. */
  readonly standard: boolean
}

/**
 * Attributes whose update is never joined: operators modify the present value instead of setting it, and
 * an attribute that cannot be updated later may make MoEngage reject the rest of its update.
 */
const LONERS = new Set([ADD_TO_ARRAY, REMOVE_FROM_ARRAY, ...CREATE_ONLY_ATTRIBUTES])
/** MoEngage allows a workspace 256 attributes; names are forgotten beyond this many. */
const MAX_KNOWN = 10_000

/** The user attributes of a workspace. */
export class AttributeNames {
  readonly #known = new Map<string, AttributeName>()
  readonly #identifiers: ReadonlySet<string>

  /** `identifiers`: the workspace's own, beside the standard ones. */
  constructor(identifiers: readonly string[]) {
    this.#identifiers = new Set([...identifiers, ...IDENTIFIER_ATTRIBUTES].map(keyOf))
  }

  /** The name that stands so, without its quotes, in JSON. Names recur, so each is looked at once. */
  of(written: string): AttributeName {
    const before = this.#known.get(written)
    if (before !== undefined) return before
    if (this.#known.size >= MAX_KNOWN) this.#known.clear()
    const name = written.includes('\\') ? (JSON.parse(`"${written}"`) as string) : written
    const key = keyOf(name)
    const facts = {
      name,
      key,
      joins: mayJoin(name),
      identifies: this.#identifiers.has(key),
      standard: isStandardAttribute(name),
    }
    this.#known.set(written, facts)
    return facts
  }
}

function keyOf(name: string): string {
  return name.normalize('NFKC').trim().toLowerCase()
}

/** Dots and dollars can be paths or operators behind the API; a name that is cut is two at once. */
function mayJoin(name: string): boolean {
  const { length } = name
  return length > 0 && length <= NAME_CHARACTERS && !/[.$]/.test(name) && !LONERS.has(name)
}
