/**
 * Posts generated bodies to a live api, with worker and simulator behind it, and says what was
 * wrong: a 5xx, a hang, a crash, or an accepted element that MoEngage's schema refuses.
 *
 *   node tools/bin/run.mjs test/abuse/fuzz/main.ts [bodies] [seed]
 */
import { randomInt } from 'node:crypto'
import { Relay } from '../../support/relay.js'
import { fuzz, FUZZ_ENV, FUZZ_SIMULATOR } from './fuzz.js'

async function main(bodies: number, seed: number): Promise<void> {
  console.log(`${bodies} bodies, seed ${seed}`)
  const relay = await Relay.start({ env: FUZZ_ENV, simulator: FUZZ_SIMULATOR })
  const startedMs = performance.now()
  const { statuses, slowestMs, delivered, faults } = await fuzz(relay, {
    bodies,
    seed,
    hangMs: 1_000,
  })
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(0)
  const answers = [...statuses].sort(([a], [b]) => a - b).map(([s, n]) => `${s}: ${n}`) // prettier-ignore
  console.log(`answers ${answers.join(', ')}; slowest ${slowestMs.toFixed(0)} ms; ${delivered} elements delivered; ${seconds} s`) // prettier-ignore
  for (const fault of faults) console.log(`WRONG ${fault}`)
  await relay.stop()
  if (faults.length > 0) process.exitCode = 1
}

await main(Number(process.argv[2] ?? 100_000), Number(process.argv[3] ?? randomInt(1_000_000)))
