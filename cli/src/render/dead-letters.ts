import { printable, table } from './table.js'

/** A dead letter of `GET /admin/dead-letters`. */
export interface LetterView {
  readonly id: string
  readonly app_id: string
  readonly lane: string
  readonly kind: string
  readonly reason: string
  /** Null: none that can be read. Absent from an api of a version before 0.2. */
  readonly customer?: string | null
  readonly answer: {
    readonly status: number
    readonly type: string
    readonly message: string
    readonly attribute: string | null
    /** Absent from an api of an earlier version, as `project_code`. */
    readonly request_id?: string | null
  }
  readonly project_code?: string
  readonly attempts: number
  readonly request_id: string
  readonly accepted_at: string
  readonly dead_at: string
}

const HEAD = ['DIED', 'KIND', 'REASON', 'CUSTOMER', 'MOENGAGE SAID', 'ATTRIBUTE', 'ID']
const MAX_WORDS = 48

export function letterLines(letters: readonly LetterView[]): string[] {
  if (letters.length === 0) return ['No dead letters.']
  return table(
    HEAD,
    letters.map(({ id, kind, reason, customer, answer, dead_at }) => [
      dead_at,
      kind,
      reason,
      shortened(customer ?? '-'),
      shortened(`${answer.status} ${answer.message || answer.type}`),
      shortened(answer.attribute ?? '-'),
      printable(id),
    ]),
  )
}

/** One letter with its element as it would be sent; `text` is the API's own JSON. */
export function letterDetails(letter: LetterView, text: string): string[] {
  const { answer } = letter
  const facts: [string, string][] = [
    ['id', letter.id],
    ['workspace', `${letter.app_id}, lane ${letter.lane}`],
    ['kind', letter.kind],
    ['reason', letter.reason],
    ['customer', letter.customer ?? '-'],
    ['MoEngage said', `${answer.status} ${answer.type}: ${answer.message}`],
    ['attribute', answer.attribute ?? '-'],
    ['its request_id', answer.request_id ?? '-'],
    ['project', letter.project_code ?? '-'],
    ['requests', `${letter.attempts} carried it`],
    ['request id', letter.request_id],
    ['accepted', letter.accepted_at],
    ['died', letter.dead_at],
    ['element', elementText(text)],
  ]
  return facts.map(([name, value]) => `${name.padEnd(14)} ${printable(value)}`)
}

/** The element byte for byte: it is the last field, and its name cannot occur inside a string. */
function elementText(text: string): string {
  const field = ',"element":'
  return text.slice(text.indexOf(field) + field.length, -1)
}

function shortened(text: string): string {
  const plain = printable(text)
  return plain.length > MAX_WORDS ? `${plain.slice(0, MAX_WORDS - 1)}…` : plain
}
