/** What a test or a hook does. */
type Body = (...values: readonly unknown[]) => unknown

interface Group {
  readonly name: string
  readonly parent: Group | null
  readonly before: Body[]
  readonly after: Body[]
  readonly beforeEach: Body[]
  readonly afterEach: Body[]
}

export interface Test {
  /** Unlike names, which may be the same for two rows of a table, unique. */
  readonly id: string
  readonly file: string
  readonly group: Group
  readonly body: Body
}

const group = (name: string, parent: Group | null): Group => {
  return { name, parent, before: [], after: [], beforeEach: [], afterEach: [] }
}

/** The tests that a file declares with `describe`, `it` and hooks while it is loaded. */
export class Suite {
  readonly tests: Test[] = []
  private readonly file: string
  private open: Group

  constructor(file: string) {
    this.file = file
    this.open = group(file, null)
  }

  /** The names that test files use. Whatever else Jest has fails loudly, being undefined. */
  globals(): Record<string, unknown> {
    const it = this.each((name, body) => {
      this.declare(name, body)
    })
    const describe = this.each((name, body) => {
      this.describe(name, body)
    })
    const hook = (kind: 'before' | 'after' | 'beforeEach' | 'afterEach') => (body: Body) => {
      this.open[kind].push(body)
    }
    return {
      it,
      test: it,
      describe,
      beforeAll: hook('before'),
      afterAll: hook('after'),
      beforeEach: hook('beforeEach'),
      afterEach: hook('afterEach'),
    }
  }

  private describe(name: string, body: Body): void {
    const outer = this.open
    this.open = group(name, outer)
    body()
    this.open = outer
  }

  private declare(name: string, body: Body): void {
    const path = [...ancestors(this.open).map((one) => one.name), name].join(' › ')
    const id = `${path} #${String(this.tests.length)}`
    this.tests.push({ id, file: this.file, group: this.open, body })
  }

  /** `declare`, and with `.each(rows)` once for every row, as Jest does. */
  private each(declare: (name: string, body: Body) => void): Body {
    const rows = (table: readonly unknown[]) => (name: string, body: Body) => {
      for (const row of table) {
        const values: readonly unknown[] = Array.isArray(row) ? row : [row]
        declare(name, () => body(...values))
      }
    }
    return Object.assign(
      ((name: string, body: Body) => {
        declare(name, body)
      }) as Body,
      { each: rows },
    )
  }
}

/**
 * Runs the tests in turn, with the hooks around them, and tells of each as it begins and ends. What
 * hooks began they also end when nobody asks for the next test.
 */
export async function* run(tests: readonly Test[]): AsyncGenerator<Result, void, undefined> {
  const begun: Group[] = []
  try {
    for (const test of tests) {
      const outward = ancestors(test.group)
      while (begun.some((one) => !outward.includes(one))) await end(begun)
      const failure = await attempt(async () => {
        for (const one of outward.slice(begun.length)) {
          begun.push(one)
          await all(one.before)
        }
      })
      yield { test, phase: 'begins' }
      const own = failure ?? (await attempt(() => body(test, outward)))
      yield { test, phase: 'ended', failure: own }
    }
  } finally {
    while (begun.length > 0) await end(begun)
  }
}

/** Ends the innermost group. */
async function end(begun: Group[]): Promise<void> {
  const group = begun.pop()
  if (group) await attempt(() => all(group.after))
}

export type Result =
  | { readonly test: Test; readonly phase: 'begins' }
  | { readonly test: Test; readonly phase: 'ended'; readonly failure: Failure | null }

export interface Failure {
  readonly message: string
}

async function body(test: Test, outward: readonly Group[]): Promise<void> {
  for (const one of outward) await all(one.beforeEach)
  try {
    await test.body()
  } finally {
    for (const one of outward.toReversed()) await all(one.afterEach)
  }
}

async function all(bodies: readonly Body[]): Promise<void> {
  for (const one of bodies) await one()
}

/** Outermost first. */
function ancestors(inner: Group): readonly Group[] {
  const found: Group[] = []
  for (let one: Group | null = inner; one !== null; one = one.parent) found.unshift(one)
  return found
}

/** Fails the test that is running: something threw where nobody awaits it, in a callback say. */
export function failRunning(error: unknown): void {
  failed?.(error)
}
let failed: ((error: unknown) => void) | null = null

async function attempt(what: () => Promise<void>): Promise<Failure | null> {
  const elsewhere = new Promise<never>((_, reject) => {
    failed = reject
  })
  try {
    await Promise.race([what(), elsewhere])
    return null
  } catch (error) {
    return { message: error instanceof Error ? error.message : String(error) }
  } finally {
    failed = null
  }
}
