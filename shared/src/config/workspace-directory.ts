import { readFileSync } from 'node:fs'
import type { Config } from './environment.js'
import type { ConfigFault } from './fault.js'
import { parseWorkspacesFile, type Workspace } from './workspace.js'

/** How often the file is looked at, ms. Reading it also sees atomic renames and symlink swaps. */
const LOOK_EVERY_MS = 500

export interface DirectoryListener {
  /** Workspaces were added, changed or removed. */
  readonly onChange: () => void
  /** The file cannot be used; the last good one stays in force. */
  readonly onFault: (faults: readonly ConfigFault[]) => void
}

/** The workspaces at present: from the environment and from a file that may change at any time. */
export class WorkspaceDirectory {
  readonly #config: Config
  #workspaces = new Map<string, Workspace>()
  #fingerprint = ''
  #faulty = false
  #timer: NodeJS.Timeout | undefined

  constructor(config: Config) {
    this.#config = config
  }

  /** Whether the file as it is now cannot be used. */
  get faulty(): boolean {
    return this.#faulty
  }

  get(appId: string): Workspace | undefined {
    return this.#workspaces.get(appId)
  }

  all(): readonly Workspace[] {
    return [...this.#workspaces.values()]
  }

  /** Reads everything for the first time; returns what is wrong with it. */
  load(): readonly ConfigFault[] {
    return this.#read().faults
  }

  watch({ onChange, onFault }: DirectoryListener): void {
    if (this.#config.workspacesFile === null) return
    this.#timer = setInterval(() => {
      const before = this.#fingerprint
      const { faults } = this.#read()
      if (this.#fingerprint === before) return
      this.#faulty = faults.length > 0
      if (this.#faulty) onFault(faults)
      else onChange()
    }, LOOK_EVERY_MS)
    this.#timer.unref()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #read(): { faults: readonly ConfigFault[] } {
    const file = this.#config.workspacesFile
    const own = this.#config.ownWorkspace
    if (file === null) {
      this.#workspaces = new Map(own ? [[own.appId, own]] : [])
      return { faults: [] }
    }
    const keys: string[] = []
    const readKeyFile = (path: string): string => {
      const key = readFileSync(path, 'utf8')
      keys.push(key)
      return key
    }
    let text: string
    try {
      text = readFileSync(file, 'utf8')
    } catch {
      this.#fingerprint = 'unreadable'
      const accepted = 'a readable JSON file'
      return {
        faults: [{ where: `RELAY_WORKSPACES_FILE ${file}`, problem: 'cannot be read', accepted }],
      }
    }
    const defaults = this.#config.defaultLimits
    const { workspaces, faults } = parseWorkspacesFile(text, { file, defaults, readKeyFile })
    this.#fingerprint = [text, ...keys, ...faults.map(({ where }) => where)].join('\0')
    if (faults.length > 0) return { faults }
    const all = own ? [own, ...workspaces.filter((w) => w.appId !== own.appId)] : workspaces
    this.#workspaces = new Map(all.map((workspace) => [workspace.appId, workspace]))
    return { faults: [] }
  }
}
