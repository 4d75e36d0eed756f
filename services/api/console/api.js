/** A view is answered sooner, also without Redis, ms. */
const VIEW_WITHIN_MS = 10_000
const KEY = 'relay-admin-token'

export const session = {
  get token() {
    return sessionStorage.getItem(KEY)
  },
  begin(token) {
    sessionStorage.setItem(KEY, token)
  },
  end() {
    sessionStorage.removeItem(KEY)
  },
}

/** An error of the API, with its message. `status` 0: no answer. */
export class ApiError extends Error {
  constructor(status, message) {
    super(message)
    this.status = status
  }
}

/** Calls the operator API; the token is in a header, so no other site can send it. */
export async function askText(method, path, body) {
  const headers = { Authorization: `Bearer ${session.token ?? ''}` }
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  const failed = () => {
    throw new ApiError(0, 'The api does not answer')
  }
  const response = await fetch(path, {
    method,
    headers,
    cache: 'no-store',
    ...(method === 'GET' ? { signal: AbortSignal.timeout(VIEW_WITHIN_MS) } : {}),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch(failed)
  const text = await response.text().catch(failed)
  if (response.ok) return text.trimEnd()
  throw new ApiError(response.status, wordsOf(text) ?? `The api answered ${response.status}`)
}

export const ask = async (method, path, body) => JSON.parse(await askText(method, path, body))

function wordsOf(text) {
  try {
    return JSON.parse(text).error.message
  } catch {
    return null
  }
}
