import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** How Redis knows a script of the relay that runs. */
export async function digestOf(root: string, script: string): Promise<string> {
  const text = await readFile(join(root, `shared/lua/${script}.lua`), 'utf8')
  return createHash('sha1').update(text).digest('hex')
}
