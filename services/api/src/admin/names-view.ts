import {
  dayText,
  NAME_LIMITS,
  type NameDoubt,
  type NameRecord,
} from '@relay/shared/census/name-record.js'
import { isStandardAttribute } from '@relay/shared/vendor/user-attributes.js'

const KINDS = { events: 'event', user: 'user attribute', event: 'event attribute' } as const

/** The census of a workspace, as the operator API shows it: doubtful names first. */
export function namesView(appId: string, records: readonly NameRecord[]) {
  const names = records.map((record) => ({
    kind: KINDS[record.scope.of],
    ...(record.scope.of === 'event' ? { event: record.scope.event } : {}),
    name: record.name,
    types: record.types,
    since: dayText(record.firstDay),
    producer: record.producer,
    doubt: doubtText(record),
  }))
  return {
    app_id: appId,
    bounds: boundsOf(records),
    names: names.sort(
      (a, b) =>
        Number(a.doubt === null) - Number(b.doubt === null) ||
        compare(a.kind, b.kind) ||
        compare(a.event ?? '', b.event ?? '') ||
        compare(a.name, b.name),
    ),
  }
}

/** How near to what MoEngage takes of a workspace; standard attributes do not count. */
function boundsOf(records: readonly NameRecord[]) {
  const { events, userAttributes, ofPortfolio, eventAttributes, userObjects, eventObjects } =
    NAME_LIMITS
  const own = records.filter(({ scope, name }) => scope.of !== 'user' || !isStandardAttribute(name))
  const count = (of: NameRecord['scope']['of']) => own.filter(({ scope }) => scope.of === of)
  const objects = (of: NameRecord['scope']['of']) =>
    count(of).filter(({ types }) => types.includes('object')).length
  const perEvent = new Map<string, number>()
  for (const { scope } of own) {
    if (scope.of === 'event') perEvent.set(scope.event, (perEvent.get(scope.event) ?? 0) + 1)
  }
  const [widest = ['', 0] as const] = [...perEvent].sort(([, a], [, b]) => b - a)
  return [
    { of: 'events', known: count('events').length, limit: events, portfolio_limit: ofPortfolio },
    {
      of: 'user attributes',
      known: count('user').length,
      limit: userAttributes,
      portfolio_limit: ofPortfolio,
    },
    { of: 'attributes of one event', event: widest[0], known: widest[1], limit: eventAttributes },
    { of: 'user attributes of type object', known: objects('user'), limit: userObjects },
    { of: 'event attributes of type object', known: objects('event'), limit: eventObjects },
  ]
}

function doubtText({ doubt, types }: NameRecord): string | null {
  const [first, ...others] = types
  if (doubt !== null) return DOUBTS[doubt.why](doubt)
  return others.length === 0 ? null : `was ${String(first)} first, is ${others.join(', ')} too`
}

const DOUBTS: Readonly<Record<NameDoubt['why'], (doubt: NameDoubt) => string>> = {
  beyond: () => 'beyond what MoEngage takes',
  objects: () => 'beyond the objects that MoEngage takes',
  lookalike: (doubt) => (doubt.why === 'lookalike' ? `one letter from ${doubt.of}` : ''),
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
