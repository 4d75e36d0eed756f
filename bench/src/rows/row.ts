export interface BenchOptions {
  /** A smoke test of the harness: as little as gives a number at all. */
  readonly quick: boolean
}

/** One measurement of one contender: the values of the row's columns. */
export interface Sample {
  readonly contender: string
  readonly values: Readonly<Record<string, number>>
}

export interface Column {
  readonly name: string
  readonly digits: number
}

/** Medians of a contender's columns. */
export type Medians = ReadonlyMap<string, Readonly<Record<string, number>>>

/** What a row should show, computed from medians of one session. */
export interface Target {
  readonly what: string
  readonly wanted: string
  readonly digits: number
  readonly measured: (medians: Medians) => number
  readonly isMet: (measured: number) => boolean
}

export interface Row {
  readonly name: string
  readonly title: string
  readonly columns: readonly Column[]
  readonly targets: readonly Target[]
  /** One repetition: every contender once, one after the other. */
  measure(options: BenchOptions): Promise<Sample[]>
}

/** A median; NaN where the contender was not measured. */
export function of(medians: Medians, contender: string, column: string): number {
  return medians.get(contender)?.[column] ?? Number.NaN
}

export const atMost =
  (bound: number) =>
  (measured: number): boolean =>
    measured <= bound
export const atLeast =
  (bound: number) =>
  (measured: number): boolean =>
    measured >= bound
