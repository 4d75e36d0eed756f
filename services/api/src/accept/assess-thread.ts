import { Worker } from 'node:worker_threads'
import type { NameTableData } from '../census/name-table.js'
import { STANDARD_VOCABULARY } from '../validate/vocabulary.js'
import type { AssessmentContext, AssessmentOutcome } from './assess.js'
import { FairTurns, type Caller } from './fairness.js'
import { unpack, type PackedOutcome } from './packed.js'
import type { LargeBodies } from './ports.js'

/** What the thread is sent. */
export interface AssessMessage {
  readonly body: Uint8Array
  /** Without `names`: the standard vocabulary, which is known by its identity. */
  readonly context: Omit<AssessmentContext, 'known'>
  readonly known: NameTableData | undefined
}

/** Far above what judging 1 MiB takes; a thread that passes it ends, and the next body starts another. */
const LIMITS = { maxOldGenerationSizeMb: 192, maxYoungGenerationSizeMb: 16 }

/** Judges one body at a time beside the event loop, in a thread that starts with the first one. */
export class AssessThread implements LargeBodies {
  readonly #turns = new FairTurns(1)
  #worker: Worker | null = null

  assess(
    producer: string,
    body: Buffer,
    context: AssessmentContext,
    caller: Caller,
  ): Promise<AssessmentOutcome | null> {
    return this.#turns.run(producer, () => this.#assess(body, context), caller)
  }

  #assess(body: Buffer, context: AssessmentContext): Promise<AssessmentOutcome> {
    const worker = (this.#worker ??= this.#start())
    const { names, known, ...rest } = context
    const copy = Uint8Array.prototype.slice.call(body)
    const sent = names === STANDARD_VOCABULARY ? rest : { ...rest, names }
    return new Promise((resolve, reject) => {
      const onMessage = (outcome: PackedOutcome) => {
        stopListening()
        resolve(unpack(outcome, body, context.limits.maxFindings))
      }
      const onError = (error: Error) => {
        stopListening()
        // It may take a while to exit, and answers nothing any more.
        this.#discard(worker)
        reject(error)
      }
      const onExit = () => onError(new Error('the thread for large bodies has ended'))
      const stopListening = () =>
        worker.off('message', onMessage).off('error', onError).off('exit', onExit)
      worker.on('message', onMessage).on('error', onError).on('exit', onExit)
      const message = { body: copy, context: sent, known: known?.data } satisfies AssessMessage
      worker.postMessage(message, [copy.buffer])
    })
  }

  async stop(): Promise<void> {
    await this.#worker?.terminate()
  }

  #start(): Worker {
    const worker = new Worker(new URL('assess-worker.js', import.meta.url), {
      resourceLimits: LIMITS,
    })
    worker.unref()
    // An error without a body to judge, such as a lack of memory, ends the thread only.
    worker.on('error', () => { this.#discard(worker) }) // prettier-ignore
    worker.once('exit', () => { this.#discard(worker) }) // prettier-ignore
    return worker
  }

  #discard(worker: Worker): void {
    if (this.#worker === worker) this.#worker = null
  }
}
