import type { Post } from '@relay/shared/queue/post.js'
import { customerKey } from '@relay/shared/identity.js'
import { identityOfCustomerId } from '../../src/accept/identity.js'

/** A post of one event for each of the customers, in their order. */
export function waitingPost(appId: string, customers: readonly string[]): Post {
  return {
    ...{ appId, lane: 'realtime', requestId: 'r', acceptedAtMs: Date.now() },
    elements: customers.map((customer) => ({
      ...{ kind: 'event' as const, cost: 1, posted: 1 as const },
      json: Buffer.from(
        JSON.stringify({ type: 'event', customer_id: customer, actions: [{ action: 'Viewed' }] }),
      ),
      customer: customerKey(identityOfCustomerId(customer)),
    })),
  }
}
