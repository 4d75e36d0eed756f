import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildVariant } from '../../support/variant.js'
import { ROOT } from '@relay/tools/folders.js'

/** Holds how far Redis' clock is off, s; the scripts of the variant read it. */
export const CLOCK_KEY = 'faults:clock:off'

/**
 * Stands before each script: its TIME is off by what CLOCK_KEY says. The same as a step of the
 * host's clock for all that relay reads of it, without touching the host.
 */
const PRELUDE = `local redis = setmetatable({ call = function(command, ...)
  if command ~= 'TIME' then return redis.call(command, ...) end
  local time = redis.call('TIME')
  return { tostring(tonumber(time[1]) + tonumber(redis.call('GET', '${CLOCK_KEY}') or '0')), time[2] }
end }, { __index = redis })
`

/** A copy of the relay at `root` whose Redis scripts have a clock that can be stepped. */
export async function withSteppingRedis(root: string, name: string): Promise<string> {
  const tree = root === ROOT ? await buildVariant({ name: `stepping-${name}`, changes: [] }) : root
  const folder = join(tree, 'shared/lua')
  for (const file of (await readdir(folder)).filter((name) => name.endsWith('.lua'))) {
    const text = await readFile(join(folder, file), 'utf8')
    if (!text.startsWith(PRELUDE)) await writeFile(join(folder, file), PRELUDE + text)
  }
  return tree
}
