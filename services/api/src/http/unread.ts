import type { IncomingMessage } from 'node:http'

/** How long a refused caller may go on sending a body that nobody reads, ms. */
const UNREAD_BODY_MS = 2_000

/**
 * Lets a refused caller finish its body, so that it can read the answer instead of meeting a reset,
 * but not for ever. Node discards what arrives.
 */
export function boundUnreadBody(request: IncomingMessage): void {
  const { socket } = request
  const timer = setTimeout(() => {
    if (!request.complete) socket.destroy()
  }, UNREAD_BODY_MS)
  timer.unref()
  request.once('close', () => { clearTimeout(timer) }) // prettier-ignore
}
