import type { IncomingMessage, ServerResponse } from 'node:http'

/** How long a refused caller may go on sending a body that nobody reads, ms. */
const UNREAD_BODY_MS = 2_000

/**
 * Lets a refused caller finish its body, so that it can read the answer instead of meeting a reset,
 * but not for ever. Node discards what arrives. To be called before the answer is sent.
 */
export function boundUnreadBody(request: IncomingMessage, response: ServerResponse): void {
  const { socket } = request
  const timer = setTimeout(() => {
    if (!request.complete) socket.destroy()
  }, UNREAD_BODY_MS)
  timer.unref()
  const endsConnection = !response.shouldKeepAlive
  // Else Node would close it behind the answer, and what arrives after that is met by the reset.
  response.shouldKeepAlive = true
  request.once('close', () => {
    clearTimeout(timer)
    if (endsConnection) socket.end()
  })
}
