import { readFileSync } from 'node:fs'

/** How often files are looked at, ms. Reading them also sees atomic renames and symlink swaps. */
export const LOOK_EVERY_MS = 500

/** Text of each file; null: it cannot be read. */
export function readFiles(paths: readonly string[]): (string | null)[] {
  return paths.map((path) => {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      return null
    }
  })
}

/** Calls `onChange` whenever the text of any file differs from the last look. Returns how to stop. */
export function watchFiles(paths: readonly string[], onChange: () => void): () => void {
  if (paths.length === 0) return () => undefined
  const look = () => JSON.stringify(readFiles(paths))
  let last = look()
  const timer = setInterval(() => {
    const now = look()
    if (now === last) return
    last = now
    onChange()
  }, LOOK_EVERY_MS)
  timer.unref()
  return () => clearInterval(timer)
}
