import { basicAuth } from '@relay/shared/process/http-call.js'
import { ADMIN_TOKEN, APP_ID, SECRET } from '../../support/relay.js'
import { ADMIN, AUTH, bare, GOOD_BODY, head, JSON_TYPE, PATH, post } from './bytes.js'
import { input, type HostileInput } from './input.js'

/** A workspace in which only `OTHER_PRODUCER` may post. */
export const OTHER_APP_ID = 'OTHER'
export const OTHER_PRODUCER = 'crm'
export const OTHER_SECRET = 'another-secret'
/** The producer of all tests, and the other: that of the neighbour. */

/** Secrets of the producers that flood together. */
export const FLOODING_SECRETS = Array.from({ length: 8 }, (_, i) => `flooding-secret-${i}`)
const FLOODING = FLOODING_SECRETS.map((secret, i) => `flood${i}:${secret}`)

export const ALL_PRODUCERS = [
  `shop:${SECRET}`,
  `${OTHER_PRODUCER}:${OTHER_SECRET}`,
  ...FLOODING,
].join()

const OPS = { listener: 'ops' } as const
const as = (user: string, secret: string) => ({ auth: `Authorization: ${basicAuth(user, secret)}` })
const at = (path: string) => () => post(GOOD_BODY, { path })
const adminPost = (path: string, body: string) => () =>
  post(body, { path, auth: ADMIN, headers: [JSON_TYPE] })

/** Keys that do not fit, and ways around access checks. */
export const ACCESS: readonly HostileInput[] = [
  input('no credentials', 401, () => bare('POST', PATH, JSON_TYPE)),
  input('wrong secret', 401, () => post(GOOD_BODY, as(APP_ID, 'wrong'))),
  input('right secret but for its last letter', 401, () =>
    post(GOOD_BODY, as(APP_ID, SECRET.slice(0, -1))),
  ),
  input('secret of 8 KB', 401, () => post(GOOD_BODY, as(APP_ID, 'x'.repeat(8_000)))),
  input('secret with NUL behind it', 401, () => post(GOOD_BODY, as(APP_ID, `${SECRET}\0`))),
  input('empty secret', 401, () => post(GOOD_BODY, as(APP_ID, ''))),
  input('user name __proto__', 401, () => post(GOOD_BODY, as('__proto__', SECRET))),
  input('credentials that are no base64', 401, () =>
    post(GOOD_BODY, { auth: 'Authorization: Basic \xff%%' }),
  ),
  input('admin token at the intake', 401, () => post(GOOD_BODY, { auth: ADMIN })),
  input('wrong credentials before the right ones', 401, () =>
    post(GOOD_BODY, { auth: `Authorization: Basic eDp4\r\n${AUTH}` }),
  ),
  input("another workspace's path", 409, at(`/v1/customer/${OTHER_APP_ID}`)),
  input("another workspace's query", 409, at(`${PATH}?app_id=${OTHER_APP_ID}`)),
  input("another workspace's MOE-APPKEY", 409, () =>
    post(GOOD_BODY, { headers: [JSON_TYPE, `MOE-APPKEY: ${OTHER_APP_ID}`] }),
  ),
  input('a workspace that is not for this producer', 403, () =>
    post(GOOD_BODY, { path: `/v1/customer/${OTHER_APP_ID}`, ...as(OTHER_APP_ID, SECRET) }),
  ),
  input('/v1/../admin/workspaces', 404, at('/v1/../admin/workspaces')),
  input('/v1/%2e%2e/admin/workspaces', 404, at('/v1/%2e%2e/admin/workspaces')),
  input('encoded slash', 404, at(`/v1%2Ftransition%2F${APP_ID}`)),
  input('double slashes', 404, at(`//v1//transition/${APP_ID}`)),
  input('..; in the path', 404, at('/v1/..;/admin/workspaces')),
  input('a parameter behind the app id', 409, at(`${PATH};a=b`)),
  input('backslashes', 404, at(`/v1\\transition\\${APP_ID}`)),
  input('a fragment behind the app id', 409, at(`${PATH}%23x`)),
  input('a key of Redis as app id', 409, at(`/v1/customer/%7B${APP_ID}%7D:gate`)),
  input('a key of Redis as request id', 404, () =>
    bare('GET', `/v1/requests/%7B${APP_ID}%7D:gate`, AUTH),
  ),
  input('request id of 8,000 characters', 404, () =>
    bare('GET', `/v1/requests/${'A'.repeat(8_000)}`, AUTH),
  ),
  input('a key and a command of Redis as customer id', 400, () =>
    post(GOOD_BODY.replace('ann', `{${APP_ID}}:gate*\\r\\n*1\\r\\n$8\\r\\nFLUSHALL\\r\\n`)),
  ),
  input('a key of Redis as Idempotency-Key', 200, () =>
    post(GOOD_BODY, { headers: [JSON_TYPE, `Idempotency-Key: relay:{${APP_ID}}:gate *`] }),
  ),
  input('capital path', 404, at(`/V1/Transition/${APP_ID}`)),
  input('NUL behind the app id', 409, at(`${PATH}%00`)),
  input('path with a lone percent', 400, at('/v1/customer/%')),
  input('path of overlong UTF-8', 400, at('/v1/customer/%c0%af')),
  input('CRLF in the path', 409, at(`${PATH}%0d%0aX-Injected:%20yes`)),
  input('CRLF in X-Request-Id', 400, () =>
    post(GOOD_BODY, { headers: [JSON_TYPE, 'X-Request-Id: a\nX-Injected: yes'] }),
  ),
  input('operator API at the intake', 404, () => bare('GET', '/admin/workspaces', ADMIN)),
  input('files beside the docs', 404, () => bare('GET', '/docs/../../package.json')),
  input('files beside the docs, encoded', 404, () => bare('GET', '/docs/%2e%2e%2fpackage.json')),
  input('admin without token', 401, () => bare('GET', '/admin/workspaces'), OPS),
  input(
    'admin with a wrong token',
    401,
    () => bare('GET', '/admin/workspaces', 'Authorization: Bearer wrong'),
    OPS,
  ),
  input(
    "a producer's secret as token",
    401,
    () => bare('GET', '/admin/workspaces', `Authorization: Bearer ${SECRET}`),
    OPS,
  ),
  input(
    "a producer's credentials at the operator API",
    401,
    () => bare('GET', '/admin/workspaces', AUTH),
    OPS,
  ),
  input(
    'admin token in the query',
    401,
    () => bare('GET', `/admin/workspaces?token=${ADMIN_TOKEN}`),
    OPS,
  ),
  input('admin by way of metrics', 404, () => bare('GET', '/metrics/../admin/workspaces'), OPS),
  input('admin in capitals', 401, () => bare('GET', '/ADMIN/workspaces'), OPS),
  input('admin with double slashes', 404, () => bare('GET', '//admin/workspaces'), OPS),
  input('pause without token', 401, () => bare('POST', `/admin/workspaces/${APP_ID}/pause`), OPS),
  input(
    'pause of an app id with CRLF',
    404,
    adminPost('/admin/workspaces/a%0d%0aX:%20y/pause', '{}'),
    OPS,
  ),
  input(
    'pause of an app id __proto__',
    404,
    adminPost('/admin/workspaces/__proto__/pause', '{}'),
    OPS,
  ),
  input(
    'another method by header',
    200,
    () => bare('GET', '/admin/dead-letters', ADMIN, 'X-HTTP-Method-Override: DELETE'),
    OPS,
  ),
  input(
    'a key of Redis as filter of the dead letters',
    404,
    () => bare('GET', `/admin/dead-letters?app_id=%7B${APP_ID}%7D:ledger`, ADMIN),
    OPS,
  ),
  input(
    'a cursor that is none',
    400,
    () => bare('GET', '/admin/dead-letters?cursor=%00*', ADMIN),
    OPS,
  ),
  input(
    'a limit of a billion',
    400,
    () => bare('GET', '/admin/dead-letters?limit=1000000000', ADMIN),
    OPS,
  ),
  input(
    'a filter with members of Object',
    400,
    () => bare('GET', '/admin/dead-letters?__proto__[app_id]=x&constructor=y', ADMIN),
    OPS,
  ),
  input(
    'request id that climbs',
    404,
    () => bare('GET', '/admin/requests/..%2fworkspaces', ADMIN),
    OPS,
  ),
  input('files beside the console', 404, () => bare('GET', '/console/../../package.json'), OPS),
  input(
    'operator body of 2 MB',
    413,
    adminPost('/admin/dead-letters/replay', 'x'.repeat(2_000_000)),
    OPS,
  ),
  input(
    'operator body nested 20,000 deep',
    400,
    adminPost('/admin/dead-letters/replay', '['.repeat(20_000) + ']'.repeat(20_000)),
    OPS,
  ),
  input(
    'operator body with __proto__',
    400,
    adminPost('/admin/dead-letters/replay', '{"__proto__":{"app_id":"x"}}'),
    OPS,
  ),
  input(
    'operator body without a selection',
    400,
    adminPost('/admin/dead-letters/replay', '{}'),
    OPS,
  ),
  input(
    'Content-Length and chunked at the ops port',
    400,
    () =>
      head(
        'POST /admin/dead-letters/replay HTTP/1.1',
        ADMIN,
        'Content-Length: 3',
        'Transfer-Encoding: chunked',
      ) + '0\r\n\r\n',
    OPS,
  ),
]
