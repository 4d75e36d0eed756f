import { parseBody, type Endpoint, type ParsedBody } from './parse.js'
import { readSparse } from './sparse.js'

/** Reads a body: what rules look at where that is enough, and all of it otherwise. */
export function readBody(body: Buffer, endpoint: Endpoint, maxElements: number): ParsedBody {
  const elements = readSparse(body, endpoint, maxElements)
  return elements === null ? parseBody(body, endpoint, maxElements) : { ok: true, elements }
}
