import { readFileSync } from 'node:fs'
import type { LogFields, Logger } from '../observability/logger.js'
import type { Config } from './environment.js'
import { describeFault, type ConfigFault } from './fault.js'
import { LOOK_EVERY_MS, readFiles } from './watch-files.js'
import { KEY_FILE_ACCEPTED, parseWorkspacesFile, type Workspace } from './workspace.js'

export interface DirectoryListener {
  /** Workspaces were added, changed or removed. */
  readonly onChange: () => void
  /** The file cannot be used; the last good one stays in force. */
  readonly onFault: (faults: readonly ConfigFault[]) => void
}

const INVALID = {
  'workspaces file': 'workspaces file is invalid; the last valid one stays in use',
  credentials: 'credentials are invalid; the last valid ones stay in use',
} as const

/** Counts, logs and acts on every change of what `directory` reads. `then` returns what the log adds. */
export function reportReloads(
  directory: { watch(listener: DirectoryListener): void },
  what: keyof typeof INVALID,
  {
    reloaded,
    log,
  }: {
    readonly reloaded: (result: 'changed' | 'refused') => void
    readonly log: Pick<Logger, 'info' | 'error'>
  },
  then: () => LogFields,
): void {
  directory.watch({
    onChange: () => {
      reloaded('changed')
      log.info(`${what} changed`, then())
    },
    onFault: (faults) => {
      reloaded('refused')
      log.error(INVALID[what], { problems: faults.map(describeFault) })
    },
  })
}

/** The same for workspaces: names those that were removed, because their backlog is not sent any more. */
export function reportWorkspaces(
  workspaces: Pick<WorkspaceDirectory, 'all' | 'watch'>,
  report: {
    readonly reloaded: (result: 'changed' | 'refused') => void
    readonly log: Pick<Logger, 'info' | 'warn' | 'error'>
  },
  then: () => void,
): void {
  const appIds = () => workspaces.all().map(({ appId }) => appId)
  let known = appIds()
  reportReloads(workspaces, 'workspaces file', report, () => {
    const now = appIds()
    const removed = known.filter((appId) => !now.includes(appId))
    known = now
    if (removed.length > 0) report.log.warn(REMOVED, { removed, next: PUT_BACK })
    then()
    return { workspaces: now.length }
  })
}

const REMOVED = 'workspaces were removed; their backlog stays in Redis and is not sent'
const PUT_BACK = 'If that was not intended, put them back into the workspaces file'

/** The workspaces configured now. */
export interface WorkspaceDirectory {
  /** Why the last change cannot be used; the last good one stays in force. Empty: it can. */
  readonly faults: readonly ConfigFault[]
  get(appId: string): Workspace | undefined
  all(): readonly Workspace[]
  /** Reports every change until `close`. */
  watch(listener: DirectoryListener): void
  close(): void
}

/** Reads workspaces from the environment and from a file that may change at any time. */
export class FileWorkspaceDirectory implements WorkspaceDirectory {
  readonly #config: Config
  readonly #readsKeys: boolean
  readonly #needsKeys: boolean
  #workspaces = new Map<string, Workspace>()
  #fingerprint = ''
  #faults: readonly ConfigFault[] = []
  #timer: NodeJS.Timeout | undefined

  /**
   * Without `readsKeys` no file with a key of MoEngage is opened: only who sends needs one. Without
   * `needsKeys` a key whose file cannot be read is ''.
   */
  constructor(config: Config, { readsKeys = true, needsKeys = true } = {}) {
    this.#config = config
    this.#readsKeys = readsKeys
    this.#needsKeys = needsKeys
  }

  get faults(): readonly ConfigFault[] {
    return this.#faults
  }

  get(appId: string): Workspace | undefined {
    return this.#workspaces.get(appId)
  }

  all(): readonly Workspace[] {
    return [...this.#workspaces.values()]
  }

  /** Reads all sources for the first time; returns their faults. */
  load(): readonly ConfigFault[] {
    return this.#read().faults
  }

  watch({ onChange, onFault }: DirectoryListener): void {
    const { workspacesFile, ownKeyFile } = this.#config
    if (workspacesFile === null && ownKeyFile === null) return
    this.#timer = setInterval(() => {
      const before = this.#fingerprint
      const { faults } = this.#read()
      if (this.#fingerprint === before) return
      this.#faults = faults
      if (faults.length > 0) onFault(faults)
      else onChange()
    }, LOOK_EVERY_MS)
    this.#timer.unref()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #read(): { faults: readonly ConfigFault[] } {
    const own = this.#readOwn()
    const file = this.#config.workspacesFile
    const read = file === null ? NO_FILE : this.#readFile(file)
    const faults = [...own.faults, ...read.faults]
    const places = faults.map(({ where }) => where)
    this.#fingerprint = [own.workspace?.apiKey ?? '', ...read.texts, ...places].join('\0')
    if (faults.length > 0) return { faults }
    const appId = own.workspace?.appId
    const others = read.workspaces.filter((workspace) => workspace.appId !== appId)
    const all = own.workspace ? [own.workspace, ...others] : others
    this.#workspaces = new Map(all.map((workspace) => [workspace.appId, workspace]))
    return { faults: [] }
  }

  /** The workspace of the environment, with its key from a file if it stands in one. */
  #readOwn(): { workspace: Workspace | null; faults: readonly ConfigFault[] } {
    const { ownWorkspace, ownKeyFile } = this.#config
    const isComplete = ownWorkspace === null || ownKeyFile === null || !this.#readsKeys
    if (isComplete) return { workspace: ownWorkspace, faults: [] }
    const apiKey = readFiles([ownKeyFile])[0]?.trim()
    if (apiKey) return { workspace: { ...ownWorkspace, apiKey }, faults: [] }
    const isOptional = apiKey === undefined && !this.#needsKeys
    const where = `MOENGAGE_API_KEY_FILE ${ownKeyFile}`
    const fault = { where, problem: 'cannot be read, or is empty', accepted: KEY_FILE_ACCEPTED }
    return { workspace: ownWorkspace, faults: isOptional ? [] : [fault] }
  }

  #readFile(file: string): FileRead {
    const keys: string[] = []
    const readKeyFile = (path: string): string | null => {
      if (!this.#needsKeys && readFiles([path])[0] === null) return null
      const key = readFileSync(path, 'utf8')
      keys.push(key)
      return key
    }
    const [text = null] = readFiles([file])
    if (text === null) {
      const accepted = 'a readable JSON file'
      const where = `RELAY_WORKSPACES_FILE ${file}`
      return { ...NO_FILE, faults: [{ where, problem: 'cannot be read', accepted }] }
    }
    const { defaultLimits: defaults, customerLimits, forwardedFor } = this.#config
    const others = { customerLimits, forwardedFor }
    const { workspaces, faults } = parseWorkspacesFile(text, {
      ...{ file, defaults, readKeyFile: this.#readsKeys ? readKeyFile : null },
      ...others,
    })
    return { texts: [text, ...keys], workspaces, faults }
  }
}

interface FileRead {
  /** All that was read, to notice a change. */
  readonly texts: readonly string[]
  readonly workspaces: readonly Workspace[]
  readonly faults: readonly ConfigFault[]
}

const NO_FILE: FileRead = { texts: [], workspaces: [], faults: [] }
