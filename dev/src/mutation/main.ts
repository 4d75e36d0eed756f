import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '../folders.js'
import { coreFiles, readCore } from './core.js'
import { mutationDocument } from './document.js'
import { keepLatest, measured, unmeasured } from './reports.js'

/** Fetched when asked for, and no dependency. */
const STRYKER = '@stryker-mutator/core@9.6.1'

/** `run [Stryker's options]`: measures. `document`: writes docs/mutation.md. `survivors [FILE]`. */
async function main([what, ...options]: readonly string[]): Promise<number> {
  if (what === 'run') return run(options)
  if (what === 'survivors') {
    survivors(options)
    return 0
  }
  const core = readCore()
  const files = coreFiles(core)
  const missing = unmeasured(files)
  if (missing.length > 0) {
    console.error(`Not measured as they are now; npm run mutation -- --mutate ${missing.join(',')}`)
    return 1
  }
  await writeFile(join(ROOT, 'docs', 'mutation.md'), mutationDocument(files, measured(), core))
  return 0
}

function run(options: readonly string[]): number {
  const config = 'dev/mutation/stryker.config.js'
  const args = ['--yes', '-p', STRYKER, 'stryker', 'run', config, ...options]
  const { status } = spawnSync('npx', args, { cwd: ROOT, stdio: 'inherit' })
  if (status === 0) keepLatest()
  return status ?? 1
}

/** Every mutant that nothing noticed, in full; of the named files, or of all. */
function survivors(names: readonly string[]): void {
  for (const [file, { source, mutants }] of Object.entries(measured())) {
    if (names.length > 0 && !names.some((name) => file.includes(name))) continue
    const lines = source.split('\n')
    for (const { status, mutatorName, replacement = '', location } of mutants) {
      if (status !== 'Survived' && status !== 'NoCoverage') continue
      const { line, column } = location.start
      const code = lines[line - 1]?.trim() ?? ''
      console.log(`${file}:${String(line)}:${String(column)} ${status} ${mutatorName}`)
      console.log(`  ${code}\n  => ${replacement.replaceAll(/\s+/g, ' ')}`)
    }
  }
}

process.exitCode = await main(process.argv.slice(2))
