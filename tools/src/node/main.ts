import { spawnSync } from 'node:child_process'
import { delimiter } from 'node:path'
import { ROOT } from '../folders.js'
import { fetchNode, isNodeMajor, type NodeMajor } from './fetch-node.js'

// node tools/bin/run.mjs tools/src/node/main.ts MAJOR COMMAND [args…]: runs a command with another
// Node, and ends with its status. Where that Node cannot be had, a line in capitals says so.

const EX_USAGE = 64

async function main([major = '', command, ...args]: readonly string[]): Promise<number> {
  if (!isNodeMajor(major) || command === undefined) {
    console.error('usage: main.ts 22|24 COMMAND [args…]')
    return EX_USAGE
  }
  const found = await fetchNode(Number(major) as NodeMajor)
  if ('problem' in found) {
    console.log(`NO NODE ${major}: ${found.problem}; ${[command, ...args].join(' ')}: SKIPPED.`)
    return 0
  }
  const { status } = spawnSync(command, args, {
    cwd: ROOT,
    env: { ...process.env, PATH: [found.bin, process.env.PATH ?? ''].join(delimiter) },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  return status ?? 1
}

process.exitCode = await main(process.argv.slice(2))
