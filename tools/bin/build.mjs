#!/usr/bin/env node
// `npm run build`: installs what is missing, then compiles all packages.
import { build, ensureInstalled } from './install.mjs'

await ensureInstalled()
await build()
