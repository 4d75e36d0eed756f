#!/usr/bin/env node
// `npm start`: installs and builds what is missing, then runs relay on this machine until Ctrl-C.
import { build, ensureInstalled } from './install.mjs'

if (process.argv.length > 2) {
  console.error(
    'npm start takes no arguments: settings are environment variables, see docs/reference/configuration.md',
  )
  process.exit(64)
}
await ensureInstalled()
await build(['services/api', 'services/worker', 'services/simulator', 'cli', 'tools'])
await import('../dist/start/main.js')
