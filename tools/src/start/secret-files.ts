import { readFileSync } from 'node:fs'
import { SECRETS_IN_FILES } from '@relay/shared/config/environment.js'
import type { ConfigFault } from '@relay/shared/config/fault.js'

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
