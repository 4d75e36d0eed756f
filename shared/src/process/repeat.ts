/**
 * Works after `everyMs`, and as long after each end again. A failure does not end it. It keeps no
 * process alive. Returns what stops it.
 */
export function repeat(everyMs: number | (() => number), work: () => unknown): () => void {
  let timer: NodeJS.Timeout | undefined
  let isStopped = false
  const wait = (): void => {
    if (isStopped) return
    timer = setTimeout(() => void turn(), typeof everyMs === 'number' ? everyMs : everyMs())
    timer.unref()
  }
  const turn = async (): Promise<void> => {
    try {
      await work()
    } catch {
      // The next turn may succeed.
    }
    wait()
  }
  wait()
  return () => {
    isStopped = true
    clearTimeout(timer)
  }
}
