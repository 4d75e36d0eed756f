import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
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
import { run, Suite, type Failure, type Test } from './suite.js'

/** What the unchanged code taught of a test. */
interface KnownTest {
  readonly tookMs: number
  readonly checks: number
  readonly mostCases: number
}

/** `fresh`: its tests share something that they change, so every mutant needs it loaded anew. */
interface KnownFile {
  readonly fresh: boolean
  readonly tookMs: number
}

/** For the processes that follow one that was stopped. */
interface Notes {
  readonly tests: Readonly<Record<string, KnownTest>>
  readonly files: Readonly<Record<string, KnownFile>>
}

/** A mutant with which a test takes so many times as many steps, and so many at least, does not end. */
const STEPS_FACTOR = 20
const LEAST_STEPS = 200_000

/**
 * Runs tests for Stryker in one process that has loaded them once, a mutant being a number to
 * compare with: milliseconds a mutant, where Jest takes more than a second to begin. What can only
 * be seen while modules load is loaded anew, with the mutant in place.
 */
class Runner {
  private readonly copy = process.cwd()
  private readonly state = instrument()
  private mostCases: number = MOST_CASES[0]
  private readonly modules = new Modules(this.copy, {
    'fast-check': fewerCases(() => this.mostCases),
  })
  private readonly imports = new Imports(this.copy)
  /** What the first process saw, for those that follow one that was stopped. */
  private readonly notes = join(this.copy, '.mutation-notes.json')
  private readonly files = testFiles(this.copy)
  private tests = new Map<string, KnownTest>()
  private knownFiles = new Map<string, KnownFile>()
  /** The tests of a file, once it is loaded. */
  private readonly loaded = new Map<string, Suite>()

  capabilities(): { reloadEnvironment: boolean } {
    return { reloadEnvironment: true }
  }

  init(): void {
    Object.assign(globalThis, { expect: jestExpect() })
    // A mutant may leave promises behind that nobody awaits. They are no verdict.
    process.on('unhandledRejection', () => undefined)
    if (!existsSync(this.notes)) return
    const { tests, files } = JSON.parse(readFileSync(this.notes, 'utf8')) as Notes
    this.tests = new Map(Object.entries(tests))
    this.knownFiles = new Map(Object.entries(files))
  }

  async dryRun({ files = [] }: DryRun): Promise<DryRunResult> {
    const tests: TestResult[] = []
    const chosen = this.testsOf(this.reaching(files))
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
    await this.learn(chosen)
    return {
      status: 'complete',
      tests,
      mutantCoverage: { static: {}, perTest: {}, ...mutantCoverage },
    }
  }

  /** Which files need to be loaded for every mutant. The tests of the others have to hold again. */
  private async learn(tests: readonly Test[]): Promise<void> {
    for (const file of new Set(tests.map((test) => test.file))) {
      const own = tests.filter((test) => test.file === file)
      const tookMs = own.reduce((sum, test) => sum + this.tookMs(test), 0)
      const fresh = this.loaded.get(file)?.hasHooks === true
      this.knownFiles.set(file, { fresh, tookMs })
    }
    const others = tests.filter(({ file }) => !this.known(file).fresh)
    const again = await this.judge(others)
    if (again.status !== 'survived') throw new Error(`holds but once: ${JSON.stringify(again)}`)
    const notes: Notes = {
      tests: Object.fromEntries(this.tests),
      files: Object.fromEntries(this.knownFiles),
    }
    writeFileSync(this.notes, JSON.stringify(notes))
  }

  private known(file: string): KnownFile {
    return this.knownFiles.get(file) ?? { fresh: true, tookMs: 0 }
  }

  async mutantRun(mutant: MutantRun): Promise<MutantRunResult> {
    const { state } = this
    const files = this.reaching([mutant.sandboxFileName])
    const isStatic = mutant.mutantActivation === 'static'
    const asked = isStatic ? null : new Set(mutant.testFilter)
    const isAsked = (test: Test) => asked?.has(test.id) ?? true
    const loaded = isStatic ? [] : files.filter((file) => !this.known(file).fresh)
    const tests = this.testsOf(loaded).filter(isAsked)
    const bringBack = this.modules.forget()
    try {
      state.activeMutant = mutant.activeMutant.id
      const result = await this.judge(tests)
      if (result.status !== 'survived') return result
      const others = files.filter((file) => isStatic || this.known(file).fresh)
      const more = await this.judgeLoading(others, isAsked)
      return more.status === 'survived'
        ? { status: 'survived', nrOfTests: result.nrOfTests + more.nrOfTests }
        : more
    } finally {
      state.activeMutant = undefined
      state.mostChecks = Infinity
      bringBack()
    }
  }

  /** These files' tests, the quickest first, loaded with the mutant in place. */
  private async judgeLoading(
    files: readonly string[],
    isAsked: (test: Test) => boolean,
  ): Promise<MutantRunResult> {
    let nrOfTests = 0
    for (const file of files.toSorted((a, b) => this.known(a).tookMs - this.known(b).tookMs)) {
      let result: MutantRunResult
      try {
        result = await this.judge(this.load(file).tests.filter(isAsked))
      } catch (error) {
        return killed(file, nrOfTests, `does not load: ${String(error)}`)
      }
      if (result.status !== 'survived') return result
      nrOfTests += result.nrOfTests
    }
    return { status: 'survived', nrOfTests }
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

  /** Until one test fails; groups with the same hooks together, the quickest first. */
  private async judge(given: readonly Test[]): Promise<MutantRunResult> {
    const { state } = this
    const groupMs = new Map<object, number>()
    for (const one of given)
      groupMs.set(one.group, (groupMs.get(one.group) ?? 0) + this.tookMs(one))
    const ms = (test: Test) => groupMs.get(test.group) ?? 0
    const tests = given.toSorted((a, b) => ms(a) - ms(b))
    for await (const { test, ...seen } of run(tests)) {
      if (seen.phase === 'begins') {
        const known = this.tests.get(test.id)
        this.mostCases = known?.mostCases ?? Infinity
        state.checks = 0
        state.mostChecks = Math.max(LEAST_STEPS, STEPS_FACTOR * (known?.checks ?? 0))
      } else if (state.checks > state.mostChecks) return { status: 'timeout', reason: 'no end' }
      else if (seen.failure) return killed(test.id, tests.length, seen.failure.message)
    }
    return { status: 'survived', nrOfTests: tests.length }
  }

  private tookMs({ id }: Test): number {
    return this.tests.get(id)?.tookMs ?? 0
  }

  private reaching(mutated: readonly string[]): readonly string[] {
    return this.files.filter((file) => mutated.some((one) => this.imports.reaches(file, one)))
  }

  private testsOf(files: readonly string[]): Test[] {
    return files.flatMap((file) => {
      const suite = this.loaded.get(file) ?? this.load(file)
      this.loaded.set(file, suite)
      return suite.tests
    })
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
