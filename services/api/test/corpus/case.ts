/**
 * Hand-made hard cases, each with the answer it must get and the bytes that must leave. The tables
 * say what is right by the documents, not what the code does.
 */
export interface ElementCase {
  readonly name: string
  /** One element as JSON text, as a producer would write it. */
  readonly json: string
  /** Attributes that `details` must name, one entry per problem; absent: accepted. */
  readonly refused?: readonly string[]
  /** The vendor's error type of the first problem. */
  readonly type?: string
  /** Attributes that `warnings` must name. */
  readonly warned?: readonly string[]
  /** Texts that must be queued; absent: the text as posted. */
  readonly sent?: readonly string[]
}

export interface RequestCase {
  readonly name: string
  readonly method?: string
  readonly path?: string
  /** null: left out. */
  readonly headers?: Readonly<Record<string, string | null>>
  readonly body?: string | Buffer
  readonly status: number
  readonly type?: string
  readonly attribute?: string
  /** Response headers that must be there, in part. */
  readonly answers?: Readonly<Record<string, string>>
}

/** Tables below write elements as objects where their bytes do not matter. */
export const user = (change: object = {}): string =>
  JSON.stringify({ type: 'customer', customer_id: 'ann', attributes: {}, ...change })

export const attributes = (named: object): string => user({ attributes: named })

export const event = (change: object = {}): string =>
  JSON.stringify({ type: 'event', customer_id: 'ann', actions: [action()], ...change })

/** An action with a time, so that it is not stamped. */
export const action = (change: object = {}): object => ({
  action: 'Viewed',
  current_time: '2026-11-23T11:59:00Z',
  ...change,
})

export const acting = (change: object): string => event({ actions: [action(change)] })

export const device = (change: object = {}, named: object = {}): string =>
  JSON.stringify({
    type: 'device',
    customer_id: 'ann',
    device_id: 'd1',
    attributes: { platform: 'iOS', push_id: 'p', ...named },
    ...change,
  })
