#!/usr/bin/env node
// `npm test`: installs and builds what is missing, then runs the whole suite, or what is named.
import { build, ensureInstalled } from './install.mjs'

await ensureInstalled()
await build()
await import('../dist/suite.js')
