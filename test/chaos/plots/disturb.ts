import { nowMs } from '../clock.js'
import type { Disturbance } from '../oracle/model.js'

/** Notes what `act` does to relay, from begin to end. */
export async function disturb(
  kind: Omit<Disturbance, 'fromMs' | 'toMs'>,
  act: () => Promise<void>,
): Promise<Disturbance> {
  const fromMs = nowMs()
  await act()
  return { ...kind, fromMs, toMs: nowMs() }
}
