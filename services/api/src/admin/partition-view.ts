import { totalOf } from '@relay/shared/element.js'
import type { PartitionList } from '@relay/shared/queue/workers.js'

/** Maximum number of partitions shown: the fullest ones. A relay may have thousands. */
export const MAX_PARTITIONS = 64

/** The partitions that contain elements, for `GET /admin/partitions`. Null means unknown. */
export function partitionsView({ partitions, total }: PartitionList, nowMs: number) {
  return {
    total,
    partitions: partitions.map(({ appId, lane, generation, index, ...state }) => ({
      app_id: appId,
      lane,
      generation,
      partition: index,
      chunks: state.chunks,
      elements: {
        ...state.elements,
        total: totalOf(state.elements),
      },
      bytes: state.bytes,
      oldest_age_seconds:
        state.oldestMs === null ? null : Math.max(0, (nowMs - state.oldestMs) / 1000),
      /** Session of the live worker that claims it; null: no live worker does. */
      owner: state.owner,
    })),
  }
}
