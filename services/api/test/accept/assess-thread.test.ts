import { AssessThread } from '../../src/accept/assess-thread.js'
import { STAYS } from '../../src/accept/fairness.js'
import { workspace, APP, NOW_MS } from '../support/workspace.js'

const context = {
  ...{ endpoint: 'transition' as const, workspaceLimits: workspace(APP).limits, nowMs: NOW_MS },
  limits: { maxElements: 100, maxFindings: 5 },
}

describe('the thread for large bodies', () => {
  // Its program is only in the build: here each thread fails when it starts.
  const thread = new AssessThread()
  afterAll(() => thread.stop())

  it('rejects when it fails, and the next body starts another at once', async () => {
    for (let i = 0; i < 3; i += 1) {
      await expect(thread.assess('crm', Buffer.from('{}'), context, STAYS)).rejects.toThrow()
    }
  })

  it('rejects what it has not answered when it is stopped', async () => {
    const asked = thread.assess('crm', Buffer.from('{}'), context, STAYS)
    const failed = expect(asked).rejects.toThrow()
    await thread.stop()
    await failed
  })
})
