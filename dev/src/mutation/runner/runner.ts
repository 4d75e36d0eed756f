import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, sep } from 'node:path'
import { fewerCases, MOST_CASES } from './fewer-cases.js'
import { Imports } from './imports.js'
import { Modules } from './modules.js'
import {
  instrument,
  type DryRun,
  type DryRunResult,
  type MutantRun,
  type MutantRunResult,
  type TestResult,
} from './stryker.js'
import { failRunning, run, Suite, type Failure, type Test } from './suite.js'

/** What the unchanged code taught of a test. */
interface KnownTest {
  readonly tookMs: number
  readonly checks: number
  readonly mostCases: number
}

/** What the dry run saw. */
interface Notes {
  readonly tests: Readonly<Record<string, KnownTest>>
  /** How long the tests of a file took, ms. */
  readonly files: Readonly<Record<string, number>>
}

/** A mutant with which a test takes so many times as many steps, and so many at least, does not end. */
const STEPS_FACTOR = 20
const LEAST_STEPS = 200_000

/**
 * Runs tests for Stryker in one process, which compiles every file once and loads relay's modules
 * anew for every mutant: some ten milliseconds, where Jest takes more than a second to begin.
 */
class Runner {
  private readonly copy = process.cwd()
  private readonly state = instrument()
  private mostCases: number = MOST_CASES[0]
  private readonly modules = new Modules(this.copy, {
    'fast-check': fewerCases(() => this.mostCases),
  })
  private readonly imports = new Imports(this.copy)
  /** What the dry run saw, for the other processes. */
  private readonly notes = join(this.copy, '.mutation-notes.json')
  private readonly files = testFiles(this.copy)
  private tests = new Map<string, KnownTest>()
  private fileMs = new Map<string, number>()

  capabilities(): { reloadEnvironment: boolean } {
    return { reloadEnvironment: true }
  }

  init(): void {
    Object.assign(globalThis, { expect: jestExpect() })
    // A mutant may leave promises behind that nobody awaits. They are no verdict.
    process.on('unhandledRejection', () => undefined)
    process.on('uncaughtException', failRunning)
  }

  /** Only one of several processes makes the dry run, and the others may begin before its end. */
  private readNotes(): void {
    if (this.tests.size > 0) return
    const { tests, files } = JSON.parse(readFileSync(this.notes, 'utf8')) as Notes
    this.tests = new Map(Object.entries(tests))
    this.fileMs = new Map(Object.entries(files))
  }

  async dryRun({ files = [] }: DryRun): Promise<DryRunResult> {
    const tests: TestResult[] = []
    const chosen = this.reaching(files).flatMap((file) => this.load(file).tests)
    let left: readonly Test[] = chosen
    for (const most of MOST_CASES) {
      const failed: Test[] = []
      for (const one of await this.observe(left, most)) {
        if (one.result.status === 0 || most === Infinity) tests.push(one.result)
        else failed.push(one.test)
      }
      left = failed
    }
    const mutantCoverage = structuredClone(this.state.mutantCoverage ?? {})
    for (const { id, file } of chosen) {
      const { tookMs = 0 } = this.tests.get(id) ?? {}
      this.fileMs.set(file, (this.fileMs.get(file) ?? 0) + tookMs)
    }
    const notes: Notes = {
      tests: Object.fromEntries(this.tests),
      files: Object.fromEntries(this.fileMs),
    }
    writeFileSync(this.notes, JSON.stringify(notes))
    return {
      status: 'complete',
      tests,
      mutantCoverage: { static: {}, perTest: {}, ...mutantCoverage },
    }
  }

  /** Everything is loaded anew, so that nothing of one mutant is left for the next: a cache is enough. */
  async mutantRun(mutant: MutantRun): Promise<MutantRunResult> {
    const { mutantActivation, testFilter, activeMutant, sandboxFileName } = mutant
    this.readNotes()
    const asked = mutantActivation === 'static' ? null : (testFilter ?? [])
    const ids = new Set(asked)
    const isAsked = ({ id }: Test) => asked === null || ids.has(id)
    const files = this.reaching([sandboxFileName]).filter(
      (file) => asked?.some((id) => id.startsWith(file)) ?? true,
    )
    this.modules.forget()
    this.state.activeMutant = activeMutant.id
    try {
      return await this.judge(files, isAsked)
    } finally {
      this.state.activeMutant = undefined
      this.state.mostChecks = Infinity
    }
  }

  /** Until one test fails, those files first that take least. */
  private async judge(
    files: readonly string[],
    isAsked: (test: Test) => boolean,
  ): Promise<MutantRunResult> {
    let nrOfTests = 0
    const inOrder = files.toSorted((a, b) => (this.fileMs.get(a) ?? 0) - (this.fileMs.get(b) ?? 0))
    for (const file of inOrder) {
      let tests: readonly Test[]
      this.state.checks = 0
      this.state.mostChecks = LEAST_STEPS
      try {
        tests = this.load(file).tests.filter(isAsked)
      } catch (error) {
        return killed(file, nrOfTests, `does not load: ${String(error)}`)
      }
      nrOfTests += tests.length
      const result = await this.judgeFile(tests)
      if (result !== null) return result
    }
    return { status: 'survived', nrOfTests }
  }

  /** Null: all tests hold. */
  private async judgeFile(tests: readonly Test[]): Promise<MutantRunResult | null> {
    const { state } = this
    for await (const { test, ...seen } of run(tests)) {
      if (seen.phase === 'begins') {
        const known = this.tests.get(test.id)
        this.mostCases = known?.mostCases ?? Infinity
        state.checks = 0
        state.mostChecks = Math.max(LEAST_STEPS, STEPS_FACTOR * (known?.checks ?? 0))
      } else if (state.checks > state.mostChecks) return { status: 'timeout', reason: 'no end' }
      else if (seen.failure) return killed(test.id, tests.length, seen.failure.message)
    }
    return null
  }

  private async observe(
    tests: readonly Test[],
    mostCases: number,
  ): Promise<{ test: Test; result: TestResult }[]> {
    const { state } = this
    const results: { test: Test; result: TestResult }[] = []
    this.mostCases = mostCases
    let from = performance.now()
    for await (const { test, ...seen } of run(tests)) {
      state.currentTestId = seen.phase === 'begins' ? test.id : undefined
      if (seen.phase === 'begins') {
        from = performance.now()
        state.checks = 0
      } else {
        const tookMs = performance.now() - from
        this.tests.set(test.id, { tookMs, mostCases, checks: state.checks })
        results.push({ test, result: testResult(test, tookMs, seen.failure) })
      }
    }
    return results
  }

  private reaching(mutated: readonly string[]): readonly string[] {
    return this.files.filter((file) => mutated.some((one) => this.imports.reaches(file, one)))
  }

  private load(file: string): Suite {
    const suite = new Suite(file)
    Object.assign(globalThis, suite.globals())
    this.modules.load(file)
    return suite
  }
}

function testResult({ id, file }: Test, timeSpentMs: number, failure: Failure | null): TestResult {
  const failed = failure && { failureMessage: failure.message }
  return { id, name: id, fileName: file, timeSpentMs, status: failed ? 1 : 0, ...failed }
}

function killed(id: string, nrOfTests: number, failureMessage: string): MutantRunResult {
  return { status: 'killed', killedBy: [id], nrOfTests, failureMessage }
}

/** Those without Redis, of the folders and files that dev/mutation/core.json names. */
function testFiles(root: string): readonly string[] {
  const text = readFileSync(join(root, 'dev', 'mutation', 'core.json'), 'utf8')
  const { tests } = JSON.parse(text) as { tests: readonly string[] }
  return tests
    .flatMap((path) => (path.endsWith('.ts') ? [path] : filesUnder(root, path)))
    .map((path) => join(root, path.replaceAll('/', sep)))
}

function filesUnder(root: string, folder: string): readonly string[] {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.test.ts') && !name.endsWith('.int.test.ts'))
    .map((name) => `${folder}/${name}`)
}

/** Jest's own. It is no dependency but Jest's. */
function jestExpect(): unknown {
  const jest = createRequire(createRequire(import.meta.url).resolve('jest'))
  return (jest('expect') as { expect: unknown }).expect
}

export const strykerPlugins = [{ kind: 'TestRunner', name: 'relay', injectableClass: Runner }]
