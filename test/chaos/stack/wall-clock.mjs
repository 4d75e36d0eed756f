// Loaded into a service before its own code: sets its wall clock off by as many ms as the file says
// whose name is in FAULTS_CLOCK_FILE. Its monotonic clock, like a real one, does not care.
import { readFileSync } from 'node:fs'

const LOOK_EVERY_MS = 100

const Real = Date
let offsetMs = 0
const nowMs = () => Real.now() + offsetMs

globalThis.Date = new Proxy(Real, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [nowMs()] : args, newTarget),
  apply: () => new Real(nowMs()).toString(),
  get: (target, key) => (key === 'now' ? nowMs : Reflect.get(target, key)),
})

function look() {
  try {
    offsetMs = Number(readFileSync(process.env.FAULTS_CLOCK_FILE ?? '', 'utf8'))
  } catch {
    // No one has set it off yet.
  }
}

look()
globalThis.setInterval(look, LOOK_EVERY_MS).unref()
