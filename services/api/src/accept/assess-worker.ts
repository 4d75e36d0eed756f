import { parentPort } from 'node:worker_threads'
import { NameTable } from '../census/name-table.js'
import { assess } from './assess.js'
import type { AssessMessage } from './assess-thread.js'
import { pack } from './packed.js'

// The thread of `AssessThread`. An error ends the thread and is returned to the caller of the request.
parentPort?.on('message', ({ body, context, known }: AssessMessage) => {
  const bytes = Buffer.from(body.buffer)
  parentPort?.postMessage(
    pack(assess(bytes, { ...context, known: known && NameTable.from(known) }), bytes),
  )
})
