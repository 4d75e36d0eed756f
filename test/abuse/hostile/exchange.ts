import { connect } from 'node:net'
import type { HostileInput } from './input.js'

export interface Exchanged {
  /** Of every answer, in order. */
  readonly statuses: readonly number[]
  /** From the first connection to the last one's end. */
  readonly elapsedMs: number
  /** False: it was still open when the time was over. */
  readonly closed: boolean
  readonly text: string
}

export interface Target {
  readonly port: number
  readonly nowMs: () => number
}

/** Plays the input on one connection, until the other side closes it or time is over. */
function playOnce(
  pieces: readonly (string | Buffer)[],
  { then, withinMs }: HostileInput,
  { port, nowMs }: Target,
): Promise<Exchanged> {
  return new Promise((resolve) => {
    const startedMs = nowMs()
    let text = ''
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: then === 'half-close' })
    socket.setNoDelay(true)
    const conclude = (closed: boolean) => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ statuses: statusesIn(text), elapsedMs: nowMs() - startedMs, closed, text })
    }
    const timer = setTimeout(conclude, withinMs, false)
    if (then !== 'read nothing') socket.on('data', (bytes) => (text += bytes.toString('latin1')))
    else socket.pause()
    // A reset after the answer is what a refused body may meet.
    socket.on('error', () => undefined)
    socket.on('close', () => { conclude(true) }) // prettier-ignore
    socket.on('end', () => { conclude(true) }) // prettier-ignore
    for (const piece of pieces) socket.write(piece)
    const written = () => {
      if (then === 'half-close') socket.end()
      if (then === 'reset') socket.resetAndDestroy()
      if (then === 'read nothing') conclude(true)
    }
    if (then !== 'read') socket.write('', written)
  })
}

/** Plays it on all of its connections at once; what differs between them shows in `statuses`. */
export async function play(input: HostileInput, target: Target): Promise<readonly Exchanged[]> {
  const pieces = input.pieces()
  return Promise.all(
    Array.from({ length: input.connections }, () => playOnce(pieces, input, target)),
  )
}

/** 102 says that a post still waits, not how it ends. */
const PROCESSING = 102

function statusesIn(text: string): number[] {
  return [...text.matchAll(/(?:^|\n|\})HTTP\/1\.1 (\d{3}) /g)]
    .map(([, status]) => Number(status))
    .filter((status) => status !== PROCESSING)
}
