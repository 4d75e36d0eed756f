import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { LOOPBACK } from '../process/port.js'

/**
 * Sends one inline command to a local Redis and gives the first line of its answer, or for an array
 * its last; null when there is no answer in time. Enough to ask whether a server is there, without
 * a client that reconnects.
 */
export async function askRedis(
  port: number,
  command: string,
  timeoutMs = 1_000,
): Promise<string | null> {
  const answer = await askRedisText(port, command, timeoutMs)
  const lines = answer?.split('\r\n').filter((line) => line !== '') ?? []
  return (answer?.startsWith('*') === true ? lines.at(-1) : lines[0]) ?? null
}

/** The same, as the whole text of the answer. Sentinels answer, too. */
export function askRedisText(
  port: number,
  command: string,
  timeoutMs = 1_000,
): Promise<string | null> {
  const signal = AbortSignal.timeout(timeoutMs)
  const socket = connect({ port, host: LOOPBACK, signal })
  // The end of what it is asked makes the server close once it has answered.
  socket.end(`${command}\r\n`)
  return text(socket).then(
    (answer) => (answer === '' ? null : answer),
    () => null,
  )
}
