/**
 * Settles at the first SIGINT, SIGTERM or SIGHUP. Later ones change nothing: npm passes on the
 * signal that the terminal has sent already, and stopping takes a few seconds at most.
 */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        resolve(signal)
      })
    }
  })
}
