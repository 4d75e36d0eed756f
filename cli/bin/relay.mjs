#!/usr/bin/env node
// `npx relay`: the operator's command line.
import { existsSync } from 'node:fs'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    `relay needs Node 20.19 or newer; this is ${process.version}. Install Node 24 from https://nodejs.org.`,
  )
  process.exit(69)
}
const built = new URL('../dist/main.js', import.meta.url)
if (!existsSync(built)) {
  console.error('relay is not built yet. Run: npm run build')
  process.exit(69)
}
try {
  await import(built.href)
} catch (error) {
  // Of another version of the checkout, or of a build that was not finished.
  if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
  console.error(`relay is only partly built or installed (${error.message}). Run: npm run build`)
  process.exit(69)
}
