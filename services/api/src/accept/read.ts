import type { NameTable } from '../census/name-table.js'
import { STANDARD_VOCABULARY, type Vocabulary } from '../validate/vocabulary.js'
import { parseBody, type ParsedBody, type Wanted } from './parse.js'
import { readSparse } from './sparse.js'

export interface Reading {
  readonly endpoint: Wanted
  readonly maxElements: number
  readonly names?: Vocabulary | undefined
  /** Names of which the census needs no word; absent: there is no census. */
  readonly known?: NameTable | undefined
}

/** Reads the members that rules use; falls back to a full parse if that is not enough. */
export function readBody(
  body: Buffer,
  { endpoint, maxElements, names = STANDARD_VOCABULARY, known }: Reading,
): ParsedBody {
  const elements = readSparse(body, endpoint, maxElements, names, known)
  return elements === null ? parseBody(body, endpoint, maxElements) : { ok: true, elements }
}
