import type { ServerResponse } from 'node:http'

/**
 * Resolves after `ms`, at once for 0, and early if the connection of `response` closes. Its timers
 * do not keep the process alive.
 */
export function sleep(ms: number, response?: ServerResponse): Promise<void> {
  if (ms <= 0 || response?.closed) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms).unref()
    response?.once('close', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
