export interface BenchOptions {
  /** A smoke test of the harness: as little as gives a number at all. */
  readonly quick: boolean
}

/** One measurement of one contender: the values of the row's columns. */
export interface Sample {
  readonly contender: string
  readonly values: Readonly<Record<string, number>>
}

interface Column {
  readonly name: string
  readonly digits: number
}

/** Medians of a contender's columns. */
export type Medians = ReadonlyMap<string, Readonly<Record<string, number>>>

/** What a row should show, computed from medians of one session. */
interface Target {
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

/** The same of one contender's column, for a target. */
export const at =
  (contender: string, column: string) =>
  (medians: Medians): number =>
    of(medians, contender, column)

/** How many times a column of one contender is another's. */
export const times =
  (column: string, one: string, other: string) =>
  (medians: Medians): number =>
    of(medians, one, column) / of(medians, other, column)

export const atMost =
  (bound: number) =>
  (measured: number): boolean =>
    measured <= bound
export const atLeast =
  (bound: number) =>
  (measured: number): boolean =>
    measured >= bound

/** Columns by name, with the digits after the point. */
export const columns = (digits: Readonly<Record<string, number>>): readonly Column[] =>
  Object.entries(digits).map(([name, count]) => ({ name, digits: count }))

export const target = (
  what: string,
  wanted: string,
  digits: number,
  measured: Target['measured'],
  isMet: Target['isMet'],
): Target => ({ what, wanted, digits, measured, isMet })
