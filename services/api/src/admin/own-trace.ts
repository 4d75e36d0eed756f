import { parseRequestId, producerTag } from '@relay/shared/request-id.js'
import { traceRequest, type RequestTrace, type RequestTracerParts } from './request-trace.js'

export interface OwnRequest {
  readonly requestId: string
  readonly producer: string
  /** The workspace as which the producer asks. */
  readonly appId: string
  /** All that there are. */
  readonly appIds: readonly string[]
}

/**
 * Finds a producer's own request; null if it is unknown or another producer's. If the workspace that
 * the producer names has no trace of it, the other workspaces are searched: the id does not contain
 * the workspace.
 */
export async function traceOwnRequest(
  parts: RequestTracerParts,
  { requestId, producer, appId, appIds }: OwnRequest,
): Promise<RequestTrace | null> {
  if (parseRequestId(requestId)?.producerTag !== producerTag(producer)) return null
  const here = await traceRequest(parts, [appId], requestId)
  if (here !== null && here.appId !== null) return here
  const elsewhere = appIds.filter((other) => other !== appId)
  const there = await traceRequest(parts, elsewhere, requestId)
  return there !== null && there.appId !== null ? there : here
}
