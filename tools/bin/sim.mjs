#!/usr/bin/env node
// `npm run sim`: installs and builds what is missing, then simulates relay as it was built. On the
// Node of the images where it can be had: it takes two thirds of the time, and traces are the same.
import { join } from 'node:path'
import { build, ensureInstalled, ROOT, status } from './install.mjs'

await ensureInstalled()
await build(['test', 'tools'])
const { fetchNode } = await import('../dist/node/fetch-node.js')
const found = await fetchNode(24)
if ('problem' in found)
  console.error(`NO NODE 24: ${found.problem}; on ${process.version}, slower.`)
const node = 'bin' in found ? join(found.bin, 'node') : process.execPath
// Most objects of a simulated moment do not outlive it; in a larger nursery they are never copied.
const main = ['--max-semi-space-size=64', join(ROOT, 'test/dist/sim/main.js')]
process.exit(await status(node, [...main, ...process.argv.slice(2)]))
