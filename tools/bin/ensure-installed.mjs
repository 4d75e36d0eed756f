#!/usr/bin/env node
// Installs relay's dependencies when they are missing or out of date, and does nothing otherwise.
import { ensureInstalled } from './install.mjs'

await ensureInstalled()
