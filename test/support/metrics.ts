import type { Child } from '@relay/tools/process/child.js'
import { send } from './relay.js'

/** The metrics of a process as text; '' when it does not answer at this moment. */
export async function metricsOf(opsUrl: string): Promise<string> {
  const answer = await send(`${opsUrl}/metrics`, 'GET', '', {}).catch(() => null)
  return answer?.body ?? ''
}

/** Where a worker's metrics are: it says so when it starts. */
export function opsUrlOf(worker: Child | undefined): string {
  const started = worker?.logs().find(({ opsPort }) => opsPort !== undefined)
  return `http://127.0.0.1:${String(started?.opsPort)}`
}

/** The sum of all series that a pattern finds; its one group is the value. */
export function sumOf(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].reduce((total, [, value]) => total + Number(value), 0)
}
