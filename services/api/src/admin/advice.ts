import type { HoldReason } from '@relay/shared/gate/gate-state.js'
import type { TransientReason } from '@relay/shared/gate/reasons.js'

type SlowedReason = TransientReason | 'rate_limited'

/** What a hold means and what to do, by its reason. */
const HOLDS: Readonly<Record<HoldReason, readonly [meaning: string, next: string]>> = {
  credentials_refused: [
    'MoEngage refuses the API key',
    'Correct the key in the workspaces file (or MOENGAGE_API_KEY); relay tries it at once. Test it: relay check --credentials',
  ],
  account_refused: [
    'MoEngage has suspended or blocked the account',
    'Ask MoEngage support; relay resumes by itself once the account is open',
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
    'MoEngage, or a proxy on the way, refuses the form of the request',
    'Look at vendorType in the log of the worker, and at proxies between relay and MoEngage',
  ],
  everything_refused: [
    'MoEngage, or a firewall on the way, refuses every element without naming one',
    'Look at vendorType in the log of the worker; relay tries one element at a time and resumes by itself',
  ],
  unavailable: [
    'MoEngage does not answer, or answers with errors',
    'Nothing: relay probes by itself and resumes when MoEngage is back',
  ],
}

/** Explains a hold, for the command line and the console. */
export function holdAdvice(reason: HoldReason): { meaning: string; next: string } {
  const [meaning, next] = HOLDS[reason]
  return { meaning, next }
}

/** Explains a temporary problem that relay handles by itself, by reason. */
const SLOWED: Readonly<Record<SlowedReason, string>> = {
  server_error: 'MoEngage answers with errors (5xx)',
  request_timeout: 'MoEngage answers 408',
  too_early: 'MoEngage answers 425',
  unreadable_answer: "MoEngage's answer cannot be read",
  timeout: 'MoEngage does not answer in time',
  reset: 'MoEngage cuts the connection',
  unreachable: 'MoEngage cannot be reached',
  tls: 'the TLS handshake with MoEngage fails',
  rate_limited: 'MoEngage asks for fewer requests (429)',
}

export function slowedAdvice(reason: SlowedReason): { meaning: string; next: string } {
  const next = reason === 'rate_limited' ? LASTING_429 : 'Nothing'
  return { meaning: SLOWED[reason], next }
}

const LASTING_429 =
  'Nothing, unless it lasts: then another sender uses the account, or the configured limits exceed its own (runbook RelayMoEngageThrottles)'
