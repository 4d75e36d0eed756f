import { connect } from 'node:net'
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
  const text = await askRedisText(port, command, timeoutMs)
  const lines = text?.split('\r\n').filter((line) => line !== '') ?? []
  return (text?.startsWith('*') === true ? lines.at(-1) : lines[0]) ?? null
}

/** The same, as the whole text of the answer. Sentinels answer, too. */
export function askRedisText(
  port: number,
  command: string,
  timeoutMs = 1_000,
): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: LOOPBACK })
    const timer = setTimeout(() => {
      end(null)
    }, timeoutMs)
    const end = (answer: string | null) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    let text = ''
    socket.setEncoding('utf8')
    // The end of what it is asked makes the server close once it has answered.
    socket.once('connect', () => socket.end(`${command}\r\n`))
    socket.on('data', (chunk: string) => {
      text += chunk
    })
    socket.once('error', () => {
      end(null)
    })
    socket.once('close', () => {
      end(text === '' ? null : text)
    })
  })
}
