import type { Posted } from '../oracle/model.js'

const PLATFORMS = ['ANDROID', 'iOS'] as const

/**
 * The element as a producer posts it; its number in its customer's life is inside. A user update has
 * it in its own attribute, too, which stays when relay joins it with later ones.
 */
export function elementOf({ customer, seq, kind, poison }: Posted, padding: string): object {
  const mark = { seq, note: padding, ...(poison ? { poison: 'yes' } : {}) }
  switch (kind) {
    case 'user':
      return {
        type: 'customer',
        customer_id: customer,
        attributes: { ...mark, last: seq, [`seq_${String(seq)}`]: true },
      }
    case 'event':
      return {
        type: 'event',
        customer_id: customer,
        actions: Array.from({ length: 1 + (seq % 2) }, (_, i) => ({
          action: i === 0 ? 'viewed' : 'bought',
          attributes: mark,
        })),
      }
    case 'device':
      return {
        type: 'device',
        customer_id: customer,
        device_id: `${customer}-phone`,
        attributes: { platform: PLATFORMS[seq % 2], push_id: `push-${String(seq)}`, ...mark },
      }
  }
}
