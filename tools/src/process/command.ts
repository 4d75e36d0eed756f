import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

export interface CommandResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  readonly timeoutMs?: number
}

const OUTPUT_BYTES = 16 * 1024 * 1024
/** What a shell answers for a command that is not there. */
const NOT_FOUND = 127

/** Runs a command to its end. A failure is a result, not an exception. */
export function runCommand(
  command: string,
  args: readonly string[],
  { cwd, env, timeoutMs }: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const options = { cwd, env, timeout: timeoutMs, maxBuffer: OUTPUT_BYTES }
    execFile(command, args, options, (error, stdout, stderr) => {
      if (error === null) resolve({ code: 0, stdout, stderr })
      else if (typeof error.code === 'number') resolve({ code: error.code, stdout, stderr })
      else resolve({ code: NOT_FOUND, stdout, stderr: stderr || error.message })
    })
  })
}

/** Where `PATH` has this program, or null. */
export function onPath(program: string, path = process.env.PATH ?? ''): string | null {
  const files = path
    .split(delimiter)
    .flatMap((folder) => (folder === '' ? [] : [join(folder, program)]))
  return files.find(isExecutable) ?? null
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
