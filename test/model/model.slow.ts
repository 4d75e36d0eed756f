import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { PRIVATE, ROOT } from '@relay/tools/folders.js'
import { runCommand } from '@relay/tools/process/command.js'
import { spinHere } from '@relay/tools/fetch/programs.js'

const programs = spinHere()
/** As the line above the tests says. */
const whenThere = programs === null ? describe.skip : describe

/** Faults that a search may inject. */
interface Faults {
  readonly crashes: number
  readonly restarts: number
  readonly troubles: number
  /** The slots of a Cluster return to the snapshot one by one, too. */
  readonly cluster?: boolean
}

type Model = 'ownership' | 'ledger'

const CRASHES: Faults = { crashes: 2, restarts: 1, troubles: 0 }
const RESTART: Faults = { crashes: 0, restarts: 1, troubles: 1, cluster: true }
const ONE_TROUBLE: Faults = { crashes: 0, restarts: 0, troubles: 1 }
const ONE_CRASH: Faults = { crashes: 1, restarts: 0, troubles: 0 }
const LEDGER: Faults = { crashes: 2, restarts: 1, troubles: 1 }
const LEDGER_CRASH: Faults = { ...LEDGER, crashes: 1 }

const SEARCHES: readonly [Model, Faults][] = [
  ['ownership', CRASHES],
  ['ownership', RESTART],
  ['ownership', { crashes: 2, restarts: 0, troubles: 1 }],
  ['ownership', { crashes: 0, restarts: 0, troubles: 2 }],
  ['ledger', LEDGER],
]

const OVERLAP = 'r[0].elements'
const STRANDED = 'assertion violated 0'
const TAKEN_BACK = 'before& ~(settled)'
const UNDELIVERED = 'posted==3'
const OVER_LIMIT = '<=1'

/** What breaks which law, and the faults that it takes. */
const MUTANTS: readonly [Model, string, Faults, string][] = [
  ['ownership', 'NO_GRACE', ONE_TROUBLE, OVERLAP],
  ['ownership', 'NO_LATE', ONE_TROUBLE, OVERLAP],
  ['ownership', 'NO_LEASE_CHECK', ONE_TROUBLE, OVERLAP],
  ['ownership', 'RELEASE_BEFORE_LANDED', ONE_TROUBLE, OVERLAP],
  ['ownership', 'CLAIM_BLINDLY', ONE_TROUBLE, OVERLAP],
  ['ownership', 'NO_UNJUDGED', ONE_CRASH, OVERLAP],
  ['ownership', 'NO_DISTRUST', CRASHES, OVERLAP],
  ['ownership', 'NO_RECLAIM', RESTART, OVERLAP],
  ['ownership', 'TRUST_OWN_CLAIM', RESTART, OVERLAP],
  ['ownership', 'TRUST_FORMER_CLAIM', RESTART, OVERLAP],
  ['ownership', 'UNKNOWN_PEER', { ...CRASHES, crashes: 0 }, OVERLAP],
  ['ownership', 'SETTLE_OVERWRITES', ONE_TROUBLE, TAKEN_BACK],
  ['ownership', 'STRIKE_NONEMPTY', ONE_TROUBLE, STRANDED],
  ['ownership', 'PRUNE_ANY_MARK', ONE_TROUBLE, STRANDED],
  ['ownership', 'ADD_UNMARKED', ONE_TROUBLE, STRANDED],
  ['ownership', 'NO_RECONCILER', RESTART, UNDELIVERED],
  ['ledger', 'OPEN_AT_ONCE', LEDGER_CRASH, OVER_LIMIT],
  ['ledger', 'REENTER_NOTHING', LEDGER_CRASH, OVER_LIMIT],
  ['ledger', 'NOTE_NOTHING', LEDGER_CRASH, OVER_LIMIT],
  ['ledger', 'NO_BEFORE', LEDGER_CRASH, OVER_LIMIT],
  ['ledger', 'NO_ROSTER', LEDGER_CRASH, OVER_LIMIT],
  ['ledger', 'NO_INCARNATION', LEDGER_CRASH, OVER_LIMIT],
  ['ledger', 'SHORT_WAIT', LEDGER_CRASH, OVER_LIMIT],
  ['ledger', 'COUNTS_FROM_SEND', LEDGER_CRASH, OVER_LIMIT],
  ['ledger', 'REFUND_SENT', LEDGER_CRASH, OVER_LIMIT],
  ['ledger', 'EXPIRED_BEFORE_READ', LEDGER_CRASH, OVER_LIMIT],
  ['ledger', 'UNKNOWN_WORKER', LEDGER_CRASH, OVER_LIMIT],
]

whenThere('every order of events', () => {
  it.each(SEARCHES)(
    'keeps the laws of %s with %o',
    async (model, faults) => {
      const found = await search(model, faults)
      expect(found).toMatch(/errors: 0$/m)
      expect(found).not.toMatch(/Search not completed|depth too small|limit|memory.*exceeded/)
    },
    300_000,
  )

  it.each(MUTANTS)(
    'of %s shows what %s guards against, with %o',
    async (model, mutant, faults, law) => {
      const found = await search(model, faults, mutant)
      expect(found).toMatch(/errors: 1$/m)
      expect(found.split('\n').find((line) => line.includes('assertion violated'))).toContain(law)
    },
    300_000,
  )
})

/** Searches every state, or up to the first that breaks a law; gives spin's report. */
async function search(model: Model, faults: Faults, mutant?: string): Promise<string> {
  await mkdir(PRIVATE, { recursive: true })
  const cwd = await mkdtemp(join(PRIVATE, 'model-'))
  const run = async (program: string, args: readonly string[]): Promise<string> => {
    const { stdout, stderr, code } = await runCommand(program, args, { cwd, timeoutMs: 290_000 })
    if (code !== 0) throw new Error(`${program} failed: ${stderr}${stdout}`)
    return stdout
  }
  try {
    const { path: spin, cc } = programs!
    const { crashes, restarts, troubles, cluster = false } = faults
    const counts = [`CRASHES=${crashes}`, `RESTARTS=${restarts}`, `TROUBLES=${troubles}`]
    const defines = [...counts, ...(cluster ? ['CLUSTER'] : []), ...(mutant ? [mutant] : [])]
    const file = join(ROOT, 'test/model', `${model}.pml`)
    await run(spin, ['-a', `-P${cc} -E -x c`, ...defines.map((name) => `-D${name}`), file])
    // A mutant is found at once: compiling would take most of the time.
    const speed = mutant === undefined ? '-O2' : '-O0'
    // -DNOREDUCE: every step reads what others write, so there is nothing to reduce.
    const options = ['-w', speed, '-DSAFETY', '-DNOREDUCE', '-DMEMLIM=3000', '-DVECTORSZ=256']
    await run(cc, [...options, '-o', 'pan', 'pan.c'])
    return await run(join(cwd, 'pan'), ['-m10000'])
  } finally {
    await rm(cwd, { recursive: true, force: true })
  }
}
