import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { runCommand } from '../process/command.js'

export class AlreadyRunning extends Error {
  constructor(pid: number) {
    super(
      `relay already runs from this folder (process ${String(pid)}). ` +
        'Stop it first, or start another one from a different folder.',
    )
    this.name = 'AlreadyRunning'
  }
}

/**
 * Makes sure that one `npm start` at a time uses the folder's data: two Redis servers on one
 * append-only file would ruin it. Throws `AlreadyRunning`. Returns the release.
 */
export async function takeRunLock(file: string): Promise<() => void> {
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' })
      return () => {
        rmSync(file, { force: true })
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const holder = Number(readFileSync(file, 'utf8'))
    if (await isRelay(holder)) throw new AlreadyRunning(holder)
    rmSync(file, { force: true })
  }
}

/** Whether that process lives and is a `start`: its number may have become another's. */
async function isRelay(pid: number): Promise<boolean> {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  try {
    return readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8').includes('start')
  } catch {
    const { code, stdout } = await runCommand('ps', ['-p', String(pid), '-o', 'args='])
    return code !== 0 || stdout.includes('start')
  }
}
