import { existsSync, readFileSync, realpathSync } from 'node:fs'
import Module, { createRequire } from 'node:module'
import { dirname, isAbsolute, join, relative, sep } from 'node:path'
import { transformSync, type Options } from '@swc/core'

/** As in jest.config.js. */
const SWC: Options = {
  jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
  module: { type: 'commonjs' },
}

/** Node's own, though not declared. */
interface Internals {
  _cache: Record<string, NodeJS.Module | undefined>
  _extensions: Record<string, (module: NodeJS.Module, file: string) => void>
  _resolveFilename: (request: string, parent?: NodeJS.Module | null, ...rest: unknown[]) => string
  _load: (request: string, parent?: NodeJS.Module | null, ...rest: unknown[]) => unknown
}
interface Compiling {
  _compile: (code: string, file: string) => void
}
const internals = Module as unknown as Internals

/**
 * Loads relay's TypeScript from a copy of the checkout, as CommonJS, so that it can be loaded anew:
 * a mutant of what a module computes when it loads lives from there.
 */
export class Modules {
  private readonly compiled = new Map<string, string>()
  private readonly checkout: string
  private readonly copy: string
  private readonly replaced: Readonly<Record<string, (real: unknown) => unknown>>

  /** `copy`: a folder whose `node_modules` is a link into the checkout. */
  constructor(copy: string, replaced: Readonly<Record<string, (real: unknown) => unknown>>) {
    this.copy = copy
    this.replaced = replaced
    this.checkout = dirname(realpathSync(join(copy, 'node_modules')))
    this.install()
  }

  load(file: string): void {
    createRequire(join(this.copy, 'package.json'))(file)
  }

  /** Forgets what was loaded of relay, so that it is loaded anew. */
  forget(): void {
    for (const file of Object.keys(internals._cache)) {
      if (this.isOwn(file)) Reflect.deleteProperty(internals._cache, file)
    }
  }

  private isOwn(file: string): boolean {
    return file.startsWith(this.copy + sep) && !file.includes(`${sep}node_modules${sep}`)
  }

  private install(): void {
    internals._extensions['.ts'] = (module, file) => {
      const known = this.compiled.get(file)
      const code =
        known ?? transformSync(readFileSync(file, 'utf8'), { ...SWC, filename: file }).code
      this.compiled.set(file, code)
      ;(module as unknown as Compiling)._compile(code, file)
    }
    const resolve = internals._resolveFilename
    internals._resolveFilename = (request, parent, ...rest) => {
      const source = this.sourceOf(request, parent)
      return source ?? this.inCopy(resolve.call(Module, request, parent, ...rest))
    }
    const load = internals._load
    internals._load = (request, parent, ...rest) => {
      const replace = this.replaced[request]
      const module = load.call(Module, request, parent, ...rest)
      return replace === undefined ? module : replace(module)
    }
  }

  /** `./x.js` in TypeScript means `./x.ts`. */
  private sourceOf(request: string, parent: NodeJS.Module | null | undefined): string | null {
    if (!parent || !/^\.{1,2}\/.*\.js$/.test(request)) return null
    if (!this.isOwn(parent.filename)) return null
    const source = join(dirname(parent.filename), request.replace(/\.js$/, '.ts'))
    return existsSync(source) ? source : null
  }

  /** Packages of the checkout itself are links to it, but their mutants are in the copy. */
  private inCopy(file: string): string {
    if (!isAbsolute(file) || file.startsWith(this.copy + sep)) return file
    const path = relative(this.checkout, file)
    const isPackageOfOthers = path.startsWith('..') || path.startsWith('node_modules')
    return isPackageOfOthers ? file : join(this.copy, path)
  }
}
