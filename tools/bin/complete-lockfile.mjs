#!/usr/bin/env node
// Completes package-lock.json with the optional platform packages that the registry used for
// `npm install` does not carry: npm then leaves them out, and `npm ci` refuses the lockfile.
// Run after every `npm install` that changed it. Without network, without dependencies.
import { readFileSync, writeFileSync } from 'node:fs'

const file = new URL('../../package-lock.json', import.meta.url)
const lock = JSON.parse(readFileSync(file, 'utf8'))
const OS = 'darwin linux win32 android freebsd openharmony aix netbsd openbsd sunos'.split(' ')
const CPU = 'arm64 x64 ia32 arm ppc64 s390x riscv64 loong64 mips64el wasm32'.split(' ')

let added = 0
for (const entry of Object.values(lock.packages)) {
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
    const path = `node_modules/${name}`
    if (lock.packages[path] || !/^\d/.test(range)) continue
    const words = name.split(/[/-]/)
    const os = OS.find((o) => words.includes(o))
    const cpu = CPU.find((c) => words.includes(c))
    if (!os && !cpu) continue
    lock.packages[path] = {
      version: range,
      ...(cpu ? { cpu: [cpu] } : {}),
      ...(entry.dev ? { dev: true } : {}),
      optional: true,
      ...(os ? { os: [os] } : {}),
    }
    added += 1
  }
}
if (added > 0) {
  const sorted = Object.fromEntries(
    Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)),
  )
  writeFileSync(file, JSON.stringify({ ...lock, packages: sorted }, null, 2) + '\n')
}
console.log(`${added} optional platform packages added to package-lock.json`)
