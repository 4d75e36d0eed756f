import { randomBytes } from 'node:crypto'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { readFileSync } from 'node:fs'
import { SECRETS_IN_FILES } from '@relay/shared/config/environment.js'
import type { ConfigFault } from '@relay/shared/config/fault.js'

/** What `npm start` makes up when the environment names none. The same in every run. */
export interface Credentials {
  readonly producerSecret: string
  readonly adminToken: string
  /** Data API key of the simulated workspace. */
  readonly simulatorKey: string
}

const SECRET_BYTES = 18

/** Reads the credentials of earlier runs, or makes them, readable by this user only. */
export async function credentialsIn(file: string): Promise<Credentials> {
  const kept = await readFile(file, 'utf8').catch(() => '{}')
  const credentials: Credentials = {
    producerSecret: secret(),
    adminToken: secret(),
    simulatorKey: secret(),
    ...parse(kept),
  }
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, `${JSON.stringify(credentials, null, 2)}\n`, { mode: 0o600 })
  // The mode above counts only for a new file.
  await chmod(file, 0o600)
  return credentials
}

function parse(text: string): Partial<Credentials> {
  try {
    return JSON.parse(text) as Partial<Credentials>
  } catch {
    // Cut off by a crash while it was written: worth no more than none.
    return {}
  }
}

function secret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url')
}

type Environment = Readonly<Record<string, string | undefined>>

const readText = (path: string) => readFileSync(path, 'utf8')

/**
 * The environment with the contents of every `NAME_FILE` as `NAME`, blanks around them removed, and
 * without the `NAME_FILE`s. What cannot be read is added to `faults`.
 */
export function withSecretFiles(
  env: Environment,
  faults: ConfigFault[],
  read: (path: string) => string = readText,
): Environment {
  const result: Record<string, string | undefined> = { ...env }
  for (const name of SECRETS_IN_FILES) {
    const variable = `${name}_FILE`
    const path = env[variable]
    if (path === undefined || path === '') continue
    result[variable] = undefined
    const fault = (problem: string) =>
      faults.push({ where: variable, problem, accepted: 'path of a file that holds the value' })
    if (env[name]) fault(`is set together with ${name}`)
    else result[name] = contents(path, read, fault)
  }
  return result
}

function contents(
  path: string,
  read: (path: string) => string,
  fault: (problem: string) => void,
): string | undefined {
  try {
    const text = read(path).trim()
    if (text !== '') return text
    fault('names an empty file')
  } catch {
    fault('names a file that cannot be read')
  }
  return undefined
}
