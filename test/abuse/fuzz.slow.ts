import { randomInt } from 'node:crypto'
import { fuzz, FUZZ_ENV, FUZZ_SIMULATOR } from './fuzz/fuzz.js'
import { Relay } from '../support/relay.js'

/** 100,000 are posted by `node tools/bin/run.mjs test/abuse/fuzz/main.ts`. */
const BODIES = Number(process.env.FUZZ_BODIES ?? 2_000)
/** Where it is measured on purpose it is a second; other suites may share the machine here. */
const HANG_MS = 10_000
const SEED = Number(process.env.FUZZ_SEED ?? randomInt(1_000_000))

test('no generated body yields a 5xx, a hang, a crash or an element that MoEngage’s schema refuses', async () => {
  process.stdout.write(`FUZZ_SEED=${SEED}\n`)
  const relay = await Relay.start({ env: FUZZ_ENV, simulator: FUZZ_SIMULATOR })
  try {
    const { faults, statuses, delivered } = await fuzz(relay, {
      bodies: BODIES,
      seed: SEED,
      hangMs: HANG_MS,
    })
    expect(faults).toEqual([])
    // Both sides of the border were seen, or nothing was shown.
    expect(statuses.get(200)).toBeGreaterThan(BODIES / 20)
    expect(statuses.get(400)).toBeGreaterThan(BODIES / 20)
    expect(delivered).toBeGreaterThanOrEqual(statuses.get(200) ?? Infinity)
  } finally {
    await relay.stop()
  }
})
