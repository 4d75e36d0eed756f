import { setTimeout as sleep } from 'node:timers/promises'

export interface WaitOptions {
  /** What is waited for, for the message of the failure. */
  readonly what: string
  readonly timeoutMs?: number
  readonly everyMs?: number
}

export class WaitedInVain extends Error {
  constructor(what: string, timeoutMs: number, cause: unknown) {
    super(`waited ${timeoutMs} ms in vain for ${what}`, { cause })
    this.name = 'WaitedInVain'
  }
}

/**
 * Polls until the condition gives something other than false, null or undefined, and returns that.
 * Throws when the time is over, with the condition's last error as cause. The only way that tests
 * wait: they never sleep for a guessed time.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { what, timeoutMs = 10_000, everyMs = 20 }: WaitOptions,
): Promise<Exclude<T, false | null | undefined>> {
  const deadlineMs = performance.now() + timeoutMs
  let cause: unknown
  do {
    try {
      const value = await condition()
      if (value !== false && value !== null && value !== undefined) {
        return value as Exclude<T, false | null | undefined>
      }
      cause = undefined
    } catch (error) {
      cause = error
    }
    await sleep(everyMs)
  } while (performance.now() < deadlineMs)
  throw new WaitedInVain(what, timeoutMs, cause)
}
