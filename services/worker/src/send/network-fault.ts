import type { NetworkFault } from './answer.js'

const BY_CODE: ReadonlyMap<string, NetworkFault> = new Map<string, NetworkFault>([
  ['ENOTFOUND', 'unresolvable'],
  ['EAI_AGAIN', 'unresolvable'],
  ['EAI_FAIL', 'unresolvable'],
  ['EAI_NODATA', 'unresolvable'],
  ['EAI_NONAME', 'unresolvable'],
  ['ECONNREFUSED', 'refused'],
  ['EHOSTUNREACH', 'unreachable'],
  ['ENETUNREACH', 'unreachable'],
  ['ENETDOWN', 'unreachable'],
  ['EADDRNOTAVAIL', 'unreachable'],
  ['EMFILE', 'unreachable'],
  ['ENFILE', 'unreachable'],
  ['ETIMEDOUT', 'timeout'],
  ['EPROTO', 'tls'],
])

/** OpenSSL's verification results carry names such as `UNABLE_TO_VERIFY_LEAF_SIGNATURE`. */
const TLS_CODE = /^ERR_(TLS|SSL|OSSL)_|CERT|^UNABLE_TO_|SIGNATURE|^INVALID_(CA|PURPOSE)$|CRL/

/** Names a Node.js error of a socket or HTTP parser. Total: anything unknown is a `reset`. */
export function networkFaultOf(error: unknown): NetworkFault {
  const code = codeOf(error)
  const known = BY_CODE.get(code)
  if (known !== undefined) return known
  if (code.startsWith('HPE_')) return 'garbage'
  return TLS_CODE.test(code) ? 'tls' : 'reset'
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return ''
  return typeof error.code === 'string' ? error.code : ''
}
