import type { Request, Response } from 'express'
import { SESSION_SECONDS, type QueueSession } from '../queues/session.js'
import { answer } from './answer.js'

type Handler = (request: Request, response: Response) => void

/** A cookie for the queue view, whose pages cannot send the token themselves. */
export function beginSession(session: QueueSession): Handler {
  return (request, response) => {
    response.set('Set-Cookie', session.begin(isSecure(request)) ?? [])
    answer(response, 200, { expires_in_seconds: SESSION_SECONDS })
  }
}

export function endSession(session: QueueSession): Handler {
  return (request, response) => {
    response.set('Set-Cookie', session.end(isSecure(request)))
    answer(response, 200, { expires_in_seconds: 0 })
  }
}

/** Whether the browser speaks TLS, to this process or to a proxy before it. */
function isSecure(request: Request): boolean {
  return request.secure || request.get('x-forwarded-proto') === 'https'
}
