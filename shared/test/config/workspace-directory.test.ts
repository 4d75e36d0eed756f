import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../../src/config/environment.js'
import {
  FileWorkspaceDirectory,
  reportReloads,
  reportWorkspaces,
} from '../../src/config/workspace-directory.js'
import { LOOK_EVERY_MS } from '../../src/config/watch-files.js'
import type { LogFields } from '../../src/observability/logger.js'

const folder = mkdtempSync(join(tmpdir(), 'relay-'))
const workspacesFile = join(folder, 'workspaces.json')
const defaultLimits = {
  ...{ usersPerWindow: 5, eventsPerWindow: 5, devicesPerWindow: null, maxBodyBytes: 128_000 },
}
const config = {
  ...{ workspacesFile, ownKeyFile: null, ownWorkspace: null, defaultLimits },
  ...{ customerLimits: [], forwardedFor: null },
} as unknown as Config

const logged: { level: string; message: string; fields: LogFields | undefined }[] = []
const at = (level: string) => (message: string, fields?: LogFields) =>
  void logged.push({ level, message, fields })
const log = { info: at('info'), warn: at('warn'), error: at('error') }

beforeEach(() => {
  jest.useFakeTimers()
  logged.length = 0
})
afterEach(() => jest.useRealTimers())
afterAll(() => rmSync(folder, { recursive: true }))

function write(...appIds: readonly string[]): void {
  const workspaces = appIds.map((appId) => ({ appId, apiKey: 'k', dc: '01' }))
  writeFileSync(workspacesFile, JSON.stringify({ workspaces }))
}

function change(write: () => void): void {
  write()
  jest.advanceTimersByTime(LOOK_EVERY_MS)
}

test('a broken file is logged as the runbook quotes it, with its faults, until it is corrected', () => {
  write('A')
  const directory = new FileWorkspaceDirectory(config)
  expect(directory.load()).toEqual([])
  const reloaded = jest.fn()
  reportReloads(directory, 'workspaces file', { reloaded, log }, () => ({}))
  expect(directory.faults).toEqual([])
  change(() => writeFileSync(workspacesFile, '{"workspaces": 1}'))
  const [fault] = directory.faults
  expect(fault?.where).toContain('workspaces')
  const [{ message, fields } = { message: '', fields: {} }] = logged
  expect(fields).toEqual({ problems: [expect.stringContaining(fault?.accepted ?? '?')] })
  const runbook = new URL('../../../docs/runbook/RelayWorkspacesFileFaulty.md', import.meta.url)
  expect(readFileSync(runbook, 'utf8')).toContain(`\`${message}\``)
  change(() => write('A'))
  expect(directory.faults).toEqual([])
  expect(reloaded.mock.calls).toEqual([['refused'], ['changed']])
  directory.close()
})

test('a reload that removes workspaces warns of them by name, and another one does not', () => {
  write('A', 'B', 'C')
  const directory = new FileWorkspaceDirectory(config)
  directory.load()
  const then = jest.fn()
  reportWorkspaces(directory, { reloaded: () => undefined, log }, then)
  change(() => write('B', 'D'))
  change(() => write('B', 'D', 'E'))
  expect(logged).toEqual([
    {
      level: 'warn',
      message: expect.stringContaining('removed') as unknown,
      fields: { removed: ['A', 'C'], next: expect.stringContaining('put them back') as unknown },
    },
    { level: 'info', message: 'workspaces file changed', fields: { workspaces: 2 } },
    { level: 'info', message: 'workspaces file changed', fields: { workspaces: 3 } },
  ])
  expect(then).toHaveBeenCalledTimes(2)
  directory.close()
})
