import type { ConfigFault } from './fault.js'
import { HASHED_ACCEPTED, isBrokenHash } from './secret.js'
import { SETTINGS } from './settings.js'

/** Producer name → its secrets as configured, several while one is being rotated. */
export type ProducerSecrets = ReadonlyMap<string, readonly string[]>

const PRODUCER_NAME = /^[A-Za-z0-9_.-]{1,64}$/

/** Reads `name:secret` entries. Faults name the position of an entry and never quote it. */
export function readProducers(
  entries: readonly string[],
  where: 'RELAY_PRODUCERS' | 'RELAY_PRODUCERS_FILE',
): { producers: ProducerSecrets; faults: ConfigFault[] } {
  const producers = new Map<string, string[]>()
  const { accepted } = SETTINGS.RELAY_PRODUCERS
  for (const [index, entry] of entries.entries()) {
    const place = `entry ${index + 1}`
    const colon = entry.indexOf(':')
    const name = entry.slice(0, colon).trim()
    const secret = entry.slice(colon + 1)
    if (colon < 1 || secret === '' || !PRODUCER_NAME.test(name)) {
      const problem = `${place} is not name:secret`
      return { producers, faults: [{ where, problem, accepted }] }
    }
    if (isBrokenHash(secret)) {
      const problem = `${place} has the prefix of a hash but is not a valid hash`
      return { producers, faults: [{ where, problem, accepted: HASHED_ACCEPTED }] }
    }
    // A name that is given twice has two valid secrets, so that one can be rotated out.
    producers.set(name, [...(producers.get(name) ?? []), secret])
  }
  return { producers, faults: [] }
}

/** The lines of a file of secrets, without blank lines and comments. */
export function secretLines(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
}
