import type { IncomingMessage, ServerResponse } from 'node:http'

/** How long a refused caller may continue to send its body, ms. */
const UNREAD_BODY_MS = 2_000

/**
 * Lets a refused caller finish its body, within a time limit, so that it reads the answer instead of
 * getting a reset. Node discards the body. Must be called before the answer is sent.
 */
export function boundUnreadBody(request: IncomingMessage, response: ServerResponse): void {
  const { socket } = request
  const timer = setTimeout(() => {
    if (!request.complete) socket.destroy()
  }, UNREAD_BODY_MS)
  timer.unref()
  const endsConnection = !response.shouldKeepAlive
  // Otherwise Node closes the connection after the answer, and further bytes cause a reset.
  response.shouldKeepAlive = true
  request.once('close', () => {
    clearTimeout(timer)
    if (endsConnection) socket.end()
  })
}
