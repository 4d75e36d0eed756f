import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Where libraries lie below the folder of an architecture. */
const WITHIN = ['', 'pulseaudio']

/** The environment in which a program finds libraries that were unpacked below `root`. */
export function libraryPath(root: string): Record<string, string> {
  const folders: string[] = []
  for (const base of [join(root, 'usr/lib'), join(root, 'lib')]) {
    const own = namesIn(base).filter((name) => name.includes('-linux-'))
    folders.push(base, ...own.flatMap((name) => WITHIN.map((below) => join(base, name, below))))
  }
  const inherited = process.env.LD_LIBRARY_PATH
  return { LD_LIBRARY_PATH: [...folders, ...(inherited ? [inherited] : [])].join(':') }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
