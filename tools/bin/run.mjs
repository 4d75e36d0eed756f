#!/usr/bin/env node
// node tools/bin/run.mjs FILE.ts [args…]: runs a TypeScript file from source, with its exit status.
import { ensureInstalled, status } from './install.mjs'

const [file, ...args] = process.argv.slice(2)
if (file === undefined) {
  console.error('usage: node tools/bin/run.mjs FILE.ts [args…]')
  process.exit(64)
}
await ensureInstalled()
const node = ['--conditions=@relay/source', '--import', 'tsx', file, ...args]
process.exit(await status(process.execPath, node))
