import { spawnSync } from 'node:child_process'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { PRIVATE, ROOT } from '@relay/tools/folders.js'
import { Engine } from './engine.js'
import { buildImages } from './images.js'
import { photograph } from './pictures.js'
import { fetchPrograms, FOLDER, whyNot } from './programs.js'
import { tryStack } from './stack.js'

// npm run test:engine [-- --docker | --keep]: builds relay's images on a real engine and brings
// docker-compose.yml up. Without --docker the engine is a private one, with stand-ins for the public
// images, and each phase has its own namespaces, so that nothing of it outlives the phase; with --keep,
// what was fetched and built stays for the next run. With --docker it is the engine that runs here.

const PICTURE = join(PRIVATE, 'engine-console.png')

/** Processes and mounts of a phase end with it; the stack has a network without anything else. */
const ISOLATED = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc']

async function main([phase]: readonly string[]): Promise<void> {
  if (phase === '--docker') return withPresentEngine()
  if (phase === 'build') return withEngine(buildImages)
  if (phase === 'stack') return withEngine((engine) => tryStack(engine, () => photograph(PICTURE)))
  const problem = await whyNot()
  if (problem !== null) {
    skip(problem)
    return
  }
  try {
    await fetchPrograms(console.log)
  } catch (error) {
    skip(String(error))
    return
  }
  runPhase('build', ISOLATED)
  runPhase('stack', [...ISOLATED, '--net'])
  if (phase !== '--keep') await rm(FOLDER, { recursive: true, force: true })
  console.log('Engine test passed.')
}

function skip(problem: string): void {
  console.log(`NO ENGINE: ${problem}; images and Compose are not tried on one: SKIPPED.`)
}

async function withPresentEngine(): Promise<void> {
  await mkdir(FOLDER, { recursive: true })
  const engine = Engine.present()
  await engine.compose('build')
  await tryStack(engine, () => photograph(PICTURE))
}

async function withEngine(use: (engine: Engine) => Promise<void>): Promise<void> {
  const engine = await Engine.start()
  try {
    await use(engine)
  } finally {
    await engine.stop()
  }
}

function runPhase(phase: string, isolation: readonly string[]): void {
  const self = `exec ${process.execPath} ${join(ROOT, 'tools/bin/run.mjs')} ${import.meta.filename} ${phase}`
  const script = `[ ${phase} = build ] || ip link set lo up; ${self}`
  const { status } = spawnSync('unshare', [...isolation, 'sh', '-c', script], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (status !== 0) throw new Error(`The phase ${phase} ended with status ${status}.`)
}

await main(process.argv.slice(2))
