import type { HeldMode, HoldReason } from './gate-state.js'
import type { TransientReason } from './reasons.js'

interface Advice {
  readonly meaning: string
  readonly next: string
}

type SlowedReason = TransientReason | 'rate_limited'

/** What a hold means and what to do, by its reason. */
const HOLDS: Readonly<Record<HoldReason, readonly [meaning: string, next: string]>> = {
  credentials_refused: [
    'MoEngage refuses the API key',
    'Correct the key in the workspaces file (or MOENGAGE_API_KEY); relay tries it at once. Test it: relay check --credentials',
  ],
  account_refused: [
    'MoEngage has suspended or blocked the account, or a proxy or firewall on the way forbids the request',
    'Look at vendorType in the log of the worker: with a type ask MoEngage support, without one check proxies and firewalls; relay resumes by itself',
  ],
  ip_refused: [
    'the IP allow-list of the workspace refuses the address',
    'Set forwardedFor (or MOENGAGE_FORWARDED_FOR) to the egress address of relay, and add that address under Settings > Account > IP allow-list in the MoEngage dashboard; relay tries a changed address at once',
  ],
  misconfigured: [
    'MoEngage does not know the workspace id, or has no API secret for it',
    'Compare app id and key with Settings > Account > APIs in the MoEngage dashboard',
  ],
  wrong_host: [
    'the host is not the Data API of this workspace',
    'Correct the data centre (dc or baseUrl); relay tries it at once',
  ],
  wrong_request: [
    'MoEngage, or a proxy on the way (407), refuses the form of the request',
    'Look at vendorType in the log of the worker, and at proxies between relay and MoEngage',
  ],
  everything_refused: [
    'MoEngage, or a firewall on the way, refuses every request without naming an element',
    'Look at vendorType in the log of the worker; relay tries one element at a time and resumes by itself',
  ],
  some_refused: [
    'MoEngage accepted other elements but refuses the next ones without a reason',
    'Look at vendorType in the log of the worker; new elements are sent at once, and a refused one is dead-lettered once others are accepted around it. If nothing else arrives, post a test customer update',
  ],
  unavailable: [
    'MoEngage does not answer, or answers with errors',
    'Nothing: relay probes by itself and resumes when MoEngage is back',
  ],
}

/** Explains a hold, for the command line, the console and the log. */
export function holdAdvice({ reason, cause }: Pick<HeldMode, 'reason' | 'cause'>): Advice {
  const [meaning, next] = HOLDS[reason]
  if (reason !== 'unavailable' || cause === undefined) return { meaning, next }
  return { meaning: SLOWED[cause], next: ON_THE_WAY[cause] ?? next }
}

/** Explains a temporary problem that relay handles by itself, by reason. */
const SLOWED: Readonly<Record<SlowedReason, string>> = {
  server_error: 'MoEngage answers with errors (5xx)',
  request_timeout: 'MoEngage answers 408',
  too_early: 'MoEngage answers 425',
  unreadable_answer: "MoEngage's answer cannot be read",
  timeout: 'MoEngage does not answer in time',
  reset: 'MoEngage resets the connection',
  unresolvable: 'the host name of MoEngage (baseUrl or dc) does not resolve',
  connection_refused: 'the host of MoEngage (baseUrl or dc) refuses connections',
  unreachable: 'MoEngage cannot be reached',
  certificate:
    'the certificate of the host of MoEngage (baseUrl or dc) is not valid or not trusted',
  tls: 'the TLS handshake with MoEngage fails',
  rate_limited: 'MoEngage asks for fewer requests (429)',
}

/** What to do about a fault on the way to MoEngage, which time does not always end. */
const ON_THE_WAY: Readonly<Partial<Record<SlowedReason, string>>> = {
  unresolvable:
    'Check the host name in baseUrl (or dc), and the DNS of the workers; relay tries a changed host at once',
  connection_refused:
    'Check host and port in baseUrl (or dc), and the egress rules of the workers; relay tries a changed host at once',
  unreachable: 'Check baseUrl (or dc), and routes and egress rules of the workers',
  certificate:
    'Check baseUrl (or dc), and proxies on the way; add a private CA to MOENGAGE_CA_FILE, or without it to NODE_EXTRA_CA_CERTS, of the workers',
  reset: 'Nothing. If it lasts, check scheme and port in baseUrl, and proxies on the way',
  unreadable_answer:
    'Nothing. If it lasts, check scheme, host and port in baseUrl, and proxies on the way',
  tls: 'Check that baseUrl names a TLS port, and proxies on the way',
  timeout:
    'Nothing. If it lasts while MoEngage works, check baseUrl (or dc) and the egress rules of the workers',
  rate_limited:
    'Nothing. If it lasts, another sender uses the account, or the configured limits are too high (runbook RelayMoEngageThrottles)',
}

export function slowedAdvice(reason: SlowedReason): Advice {
  return { meaning: SLOWED[reason], next: ON_THE_WAY[reason] ?? 'Nothing' }
}
