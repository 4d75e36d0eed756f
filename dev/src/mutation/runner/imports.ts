import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const IMPORT = /\b(?:from|import)\s*\(?\s*'((?:\.{1,2}|@relay)\/[^']+)\.js'/g

/** Which of relay's files a file loads, read from their imports without loading any. */
export class Imports {
  private readonly root: string
  private readonly read = new Map<string, readonly string[]>()
  private readonly reached = new Map<string, ReadonlySet<string>>()

  constructor(root: string) {
    this.root = root
  }

  /** Whether loading the one loads the other; also where only its types are imported. */
  reaches(from: string, to: string): boolean {
    return this.allOf(from).has(to)
  }

  private allOf(from: string): ReadonlySet<string> {
    const known = this.reached.get(from)
    if (known) return known
    const seen = new Set<string>()
    const open = [from]
    for (let file = open.pop(); file !== undefined; file = open.pop()) {
      if (seen.has(file)) continue
      seen.add(file)
      open.push(...this.of(file))
    }
    this.reached.set(from, seen)
    return seen
  }

  private of(file: string): readonly string[] {
    const known = this.read.get(file)
    if (known) return known
    const text = readFileSync(file, 'utf8')
    const found = [...text.matchAll(IMPORT)].map(([, path = '']) => this.sourceOf(path, file))
    const imported = found.filter((source) => existsSync(source))
    this.read.set(file, imported)
    return imported
  }

  private sourceOf(path: string, importer: string): string {
    if (!path.startsWith('@relay/')) return `${join(dirname(importer), path)}.ts`
    const [, name = '', ...rest] = path.split('/')
    const folder = existsSync(join(this.root, name)) ? name : join('services', name)
    return `${join(this.root, folder, 'src', ...rest)}.ts`
  }
}
