import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Of each process, the last lines that matter. */
const SHOWN = 40
const MATTERS = /"level":"(warn|error)"|^--- |^[^{]/

/** Prints what the processes of a run said when something was wrong. */
export async function tellLogs(dir: string, say: (line: string) => void): Promise<void> {
  const files = (await readdir(dir)).filter((name) => name.endsWith('.log')).sort()
  for (const name of files) {
    const lines = (await readFile(join(dir, name), 'utf8')).split('\n')
    const shown = lines.filter((line) => line !== '' && MATTERS.test(line)).slice(-SHOWN)
    say(`  -- ${name}`)
    for (const line of shown) say(`     ${line.slice(0, 400)}`)
  }
}
