import { randomBytes } from 'node:crypto'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

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
