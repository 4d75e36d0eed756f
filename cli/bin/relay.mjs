#!/usr/bin/env node
// `npx relay`: the operator's command line.
import { existsSync } from 'node:fs'

const built = new URL('../dist/main.js', import.meta.url)
if (!existsSync(built)) {
  console.error('relay is not built yet. Run: npm install && npm run build')
  process.exit(69)
}
await import(built.href)
