import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '@relay/shared/clock.js'
import { Sink, Stage } from './contenders/start.js'
import { memoryBytes } from '@relay/tools/process/facts.js'
import { cpuMicroseconds } from './measure/resources.js'
import { openFloor, openRelay } from './rows/backlog.js'
const [what, n = '500000', warm = '300000', times = '1'] = process.argv.slice(2)
const opens: Record<string, () => any> = {
  floor: () => openFloor, one: () => openRelay(), many: () => openRelay({ workspaces: Number(process.env.WS ?? 200) }),
  eight: () => openRelay({ workers: 8 }), two: () => openRelay({ workers: 2 }),
}
for (let i = 0; i < Number(times); i++) for (const w of (what ?? 'one').split(',')) {
  await Stage.run(async (stage) => {
    const sink = await Sink.start(stage)
    const d = await opens[w]!()(stage, sink)
    await d.fill(Number(warm)); await d.release(); await sink.received(Number(warm))
    const warmMb = Math.max(...d.workerPids.map((p: number) => memoryBytes(p, 'VmHWM'))) / 1e6
    await d.fill(Number(n)); await sleep(300); await sink.reset()
    const wb = await cpuMicroseconds(d.workerPids), rb = await cpuMicroseconds([d.redisPid])
    const t = systemClock.monotonicMs()
    await d.release()
    const totals = await sink.received(Number(n))
    const s = (systemClock.monotonicMs() - t) / 1000
    await sleep(300)
    const wu = (await cpuMicroseconds(d.workerPids)) - wb, ru = (await cpuMicroseconds([d.redisPid])) - rb
    const mb = Math.max(...d.workerPids.map((p: number) => memoryBytes(p, 'VmHWM'))) / 1e6
    if (process.env.SNAP) await sleep(12000)
    console.log(w, 'us/el', ((wu + ru) / Number(n)).toFixed(2), 'worker', (wu / Number(n)).toFixed(2), 'redis', (ru / Number(n)).toFixed(2), 'req', totals.requests, 'el/s', (Number(n) / s).toFixed(0), 'MB', mb.toFixed(0), 'warmMB', warmMb.toFixed(0))
  })
}
