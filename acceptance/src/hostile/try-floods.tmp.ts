import { flood } from './floods.js'
import { Siege, startTarget } from './run.js'
const siege = new Siege(await startTarget({}), () => performance.now())
for (const name of ['costly', 'bombs'] as const) {
  const f = await flood(siege, name, 8)
  console.log(
    JSON.stringify({
      name,
      a: f.answers,
      b: f.before,
      d: f.during,
      h: f.slowestHealthMs,
      m: f.mostMiB,
    }),
  )
}
await siege.neighbour.stop()
await siege.relay.stop()
process.exit(0)
