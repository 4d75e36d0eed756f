import fc from 'fast-check'
import { NETWORK_FAULTS, networkFaultOf } from '../../src/send/answer.js'

it.each([
  ['ENOTFOUND', 'unresolvable'],
  ['EAI_AGAIN', 'unresolvable'],
  ['ECONNREFUSED', 'refused'],
  ['EHOSTUNREACH', 'unreachable'],
  ['EMFILE', 'unreachable'],
  ['ETIMEDOUT', 'timeout'],
  ['ECONNRESET', 'reset'],
  ['EPIPE', 'reset'],
  ['HPE_INVALID_CONSTANT', 'garbage'],
  ['HPE_HEADER_OVERFLOW', 'garbage'],
  ['CERT_HAS_EXPIRED', 'certificate'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'certificate'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'certificate'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'certificate'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls'],
  ['constructor', 'reset'],
])('%s is %s', (code, fault) => {
  expect(networkFaultOf(Object.assign(new Error('x'), { code }))).toBe(fault)
})

it('is total', () => {
  fc.assert(
    fc.property(fc.anything(), (error) => expect(NETWORK_FAULTS).toContain(networkFaultOf(error))),
  )
})
