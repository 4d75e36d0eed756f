import { layoutOf } from '../../src/queue/layout.js'

// As lua/layout.lua documents its hash.
it.each([
  [
    ['3', '8', '', '', '', ''],
    { generation: 3, partitions: 8, mode: 'live', next: null, draining: [], previous: [] },
  ],
  [
    ['3', '8', '16', '1:4:shadow,2:6:live', 'shadow', '0:2,1:4'],
    {
      generation: 3,
      partitions: 8,
      mode: 'shadow',
      next: 16,
      draining: [
        { generation: 1, partitions: 4, mode: 'shadow' },
        { generation: 2, partitions: 6, mode: 'live' },
      ],
      previous: [
        { generation: 0, partitions: 2 },
        { generation: 1, partitions: 4 },
      ],
    },
  ],
  [
    // Written before there was a mode.
    ['1', '4', '', '0:2', '', ''],
    {
      generation: 1,
      partitions: 4,
      mode: 'live',
      next: null,
      draining: [{ generation: 0, partitions: 2, mode: 'live' }],
      previous: [],
    },
  ],
  [
    // Before the first post: one partition.
    [],
    { generation: 0, partitions: 1, mode: 'live', next: null, draining: [], previous: [] },
  ],
])('%j is the layout %j', (fields, layout) => expect(layoutOf(fields)).toEqual(layout))
