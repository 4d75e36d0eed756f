#!/usr/bin/env node
// `npm run sim`: installs and builds what is missing, then simulates relay as it was built.
import { build, ensureInstalled } from './install.mjs'

await ensureInstalled()
await build(['test'])
await import('../../test/dist/sim/main.js')
