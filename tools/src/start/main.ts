import { join } from 'node:path'
import { PRIVATE, ROOT } from '../folders.js'
import { runRelay, stopSignal } from './run.js'

const service = (name: string) => join(ROOT, 'services', name, 'dist', 'main.js')

const code = await runRelay({
  env: process.env,
  entries: { api: service('api'), worker: service('worker'), simulator: service('simulator') },
  home: PRIVATE,
  show: console.log,
  stopped: stopSignal(),
})
process.exit(code)
