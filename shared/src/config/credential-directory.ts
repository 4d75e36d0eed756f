import type { Config } from './environment.js'
import type { ConfigFault } from './fault.js'
import { readProducers, secretLines, type ProducerSecrets } from './producers.js'
import { HASHED_ACCEPTED, isBrokenHash, Keyring } from './secret.js'
import { SETTINGS, type Name } from './settings.js'
import { readFiles, watchFiles } from './watch-files.js'
import type { DirectoryListener } from './workspace-directory.js'

type Sources = Pick<Config, 'producers' | 'producersFile' | 'adminToken' | 'adminTokenFile'>

const NOBODY = new Keyring(new Map())

/** Current credentials of producers and operators, from the environment or from files that may change. */
export class CredentialDirectory {
  readonly #sources: Sources
  #producers = NOBODY
  #operators = NOBODY
  #stop: (() => void) | undefined

  constructor(sources: Sources) {
    this.#sources = sources
  }

  get producers(): Keyring {
    return this.#producers
  }

  get operators(): Keyring {
    return this.#operators
  }

  /** Reads all sources; on a fault the previous credentials stay valid. */
  load(): readonly ConfigFault[] {
    const producers = this.#readProducers()
    const tokens = this.#readTokens()
    const faults = [...producers.faults, ...tokens.faults]
    if (faults.length > 0) return faults
    this.#producers = new Keyring(producers.producers)
    this.#operators = new Keyring(new Map([['operator', tokens.tokens]]))
    return []
  }

  watch({ onChange, onFault }: DirectoryListener): void {
    const { producersFile, adminTokenFile } = this.#sources
    const files = [producersFile, adminTokenFile].filter((file) => file !== null)
    this.#stop = watchFiles(files, () => {
      const faults = this.load()
      if (faults.length > 0) onFault(faults)
      else onChange()
    })
  }

  close(): void {
    this.#stop?.()
  }

  #readProducers(): { producers: ProducerSecrets; faults: ConfigFault[] } {
    const { producers, producersFile } = this.#sources
    if (producersFile === null) return { producers, faults: [] }
    const where = 'RELAY_PRODUCERS_FILE'
    const [text = null] = readFiles([producersFile])
    if (text === null) return { producers, faults: [unreadable(where, producersFile)] }
    return readProducers(secretLines(text).flatMap((line) => line.split(',')), where) // prettier-ignore
  }

  #readTokens(): { tokens: string[]; faults: ConfigFault[] } {
    const { adminToken, adminTokenFile } = this.#sources
    const where = 'RELAY_ADMIN_TOKEN_FILE'
    if (adminTokenFile === null) {
      return { tokens: adminToken === null ? [] : [adminToken], faults: [] }
    }
    const [text = null] = readFiles([adminTokenFile])
    if (text === null) return { tokens: [], faults: [unreadable(where, adminTokenFile)] }
    const tokens = secretLines(text)
    const broken = tokens.findIndex(isBrokenHash)
    if (broken >= 0) {
      const problem = `token ${broken + 1} has the prefix of a hash but is not a valid hash`
      return { tokens, faults: [{ where, problem, accepted: HASHED_ACCEPTED }] }
    }
    if (tokens.length > 0) return { tokens, faults: [] }
    const accepted = SETTINGS.RELAY_ADMIN_TOKEN_FILE.accepted
    return { tokens, faults: [{ where, problem: 'holds no token', accepted }] }
  }
}

function unreadable(where: Name, path: string): ConfigFault {
  return { where: `${where} ${path}`, problem: 'cannot be read', accepted: 'a readable file' }
}
