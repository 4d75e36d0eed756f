/** The parts of Stryker's test runner API (@stryker-mutator/api 9) that the runner meets. */
export interface DryRun {
  /** The files with mutants, in the copy. */
  readonly files?: readonly string[]
}

export interface MutantRun {
  /** Ids of the tests that reach the mutant; without, all that could. */
  readonly testFilter?: readonly string[]
  readonly activeMutant: { readonly id: string }
  readonly sandboxFileName: string
  /** `static`: what modules compute while they load may be of the mutant. */
  readonly mutantActivation: 'static' | 'runtime'
}

export interface DryRunResult {
  readonly status: 'complete'
  readonly tests: readonly TestResult[]
  readonly mutantCoverage: object
}

export interface TestResult {
  readonly id: string
  readonly name: string
  readonly fileName: string
  readonly timeSpentMs: number
  /** 0: held, 1: failed. */
  readonly status: 0 | 1
  readonly failureMessage?: string
}

export type MutantRunResult =
  | { readonly status: 'survived'; readonly nrOfTests: number }
  | { readonly status: 'timeout'; readonly reason: string }
  | {
      readonly status: 'killed'
      readonly nrOfTests: number
      readonly killedBy: readonly string[]
      readonly failureMessage: string
    }

/** What instrumented code looks at, and where it counts. */
export class Instrumented {
  currentTestId?: string | undefined
  mutantCoverage?: object
  /** How often instrumented code asked whether its mutant is active. */
  checks = 0
  mostChecks = Infinity
  #activeMutant: string | undefined

  /** Asked at every place that has a mutant: what does not end is ended here, without a clock. */
  get activeMutant(): string | undefined {
    this.checks += 1
    if (this.checks > this.mostChecks) throw new Error('does not end')
    return this.#activeMutant
  }

  set activeMutant(id: string | undefined) {
    this.#activeMutant = id
  }
}

/** The one that instrumented code of this process finds. */
export function instrument(): Instrumented {
  const state = new Instrumented()
  Object.assign(globalThis, { __stryker__: state })
  return state
}
