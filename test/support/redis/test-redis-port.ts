/** A Redis for a test file. A private one never evicts and dies with the test process. */
export interface TestRedis {
  readonly url: string
  readonly port: number
  readonly dir: string
  /** Of the server that runs now; changes with `restart`. */
  readonly pid: number
  /** A fresh `RELAY_PREFIX`: cheaper than a Redis per test. */
  freshPrefix(): string
  /** Ends the server and removes its data. */
  stop(): Promise<void>
  /** Kills it with no time to write anything; its data stays for `restart`. */
  kill9(): Promise<void>
  /** Stops it from answering, with its connections open. */
  pause(): void
  resume(): void
  /** Starts it again with the same data and port, after a clean end if it still runs. */
  restart(): Promise<void>
}
