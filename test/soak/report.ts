import { cpus } from 'node:os'
import { judgeFlatness, judgeLaws, WARM_UP_SHARE, type SoakFacts } from './judge.js'

/** `docs/reports/soak.md`, and whether everything in it holds. */
export function soakDocument(facts: SoakFacts): { readonly text: string; readonly holds: boolean } {
  const { minutes, samples, troubles } = facts
  const flatness = judgeFlatness(samples)
  const laws = judgeLaws(facts)
  const holds = flatness.every(({ isFlat }) => isFlat !== false) && laws.every((law) => law.holds)
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}, Node ${process.version}`
  const command = minutes === 60 ? 'npm run soak' : `npm run soak -- --minutes ${minutes}`
  const text = `# Soak

${minutes} minutes at both default budgets in full, one api and two workers, with mild faults on the way: **${holds ? 'everything below held' : 'NOT everything below held'}**. Made by
\`${command}\` on ${machine}; Redis, simulator and load ran on the same machine, and whatever else the load average shows.

What is posted follows what waits, so that the budgets are always wanted whole and about three seconds' worth waits. ${facts.budgets
    .map(({ name, used, limit }) => `${(used * 100).toFixed(1)} % of ${number(limit)} ${name}`)
    .join(' and ')} per minute were delivered after the warm-up, faults included.

![Memory, descriptors, keys and latency over time](../img/soak.svg)

The first ${(minutes * WARM_UP_SHARE).toFixed(0)} minutes are warm-up; the medians are of each third of the rest. What grows without end shows as a last third above the first. Every chunk that waits is a key in Redis, so keys and memory there are judged while at most 200 elements wait.

| | first third | second third | last third | most seen | flat |
| --- | ---: | ---: | ---: | ---: | --- |
${flatness
  .map(({ what, medians, most, isFlat }) => {
    const verdict = isFlat === null ? '(not judged)' : isFlat ? 'yes' : '**no**'
    return `| ${[what, ...medians.map(short), short(most), verdict].join(' | ')} |`
  })
  .join('\n')}

| law | seen | holds |
| --- | --- | --- |
${laws.map(({ law, seen, holds: yes }) => `| ${law} | ${seen} | ${yes ? 'yes' : '**no**'} |`).join('\n')}

- ${number(facts.accepted)} elements were accepted, ${number(facts.refusedPosts)} posts were refused or got no answer. ${number(facts.arrivals)} elements arrived at the simulator; what was sent again after an unknown outcome counts again, updates that were coalesced count once.
- Posts carried no Idempotency-Key: a key is kept for 24 h by design, so an hour of keyed posts cannot be flat. Traces may take 512 KiB here (\`RELAY_TRACE_BYTES\`), which they reach within the warm-up at some 110 KiB a minute; by default they would grow for ten hours to 64 MiB, and by one key a minute.

| fault | how often |
| --- | ---: |
${[...troubles].map(([what, times]) => `| ${what} | ${times} |`).join('\n')}

| line of level error | how often |
| --- | ---: |
${[...facts.errors].map(([message, times]) => `| ${message} | ${times} |`).join('\n') || '| none | 0 |'}
`
  return { text, holds }
}

const short = (n: number): string => (n < 10 ? n.toFixed(1) : n.toFixed(0))
const number = (n: number): string => n.toLocaleString('en')
