import type { LaneBacklog } from '@relay/shared/queue/backlog.js'
import { BacklogHistory } from '../../src/admin/backlog-history.js'

const laneOf = (appId: string, user: number): LaneBacklog =>
  ({ appId, elements: { user, event: 1, device: 0 } }) as LaneBacklog

test('a backlog that cannot be read is unknown, not 0', () => {
  let lanes: LaneBacklog[] | null = null
  let appIds = ['A', 'B']
  const history = new BacklogHistory(
    () => lanes,
    () => appIds,
  )
  history.sample()
  lanes = [laneOf('A', 4), laneOf('A', 2)]
  history.sample()
  lanes = null
  history.sample()
  expect(history.view().workspaces).toEqual({ A: [null, 8, null], B: [null, 0, null] })
  appIds = ['A']
  history.sample()
  expect(Object.keys(history.view().workspaces)).toEqual(['A'])
})
