import { join } from 'node:path'
import { startChild } from '@relay/tools/process/child.js'

it('what libraries print, and what Node warns of, are lines of the log', async () => {
  const entry = join(import.meta.dirname, '../fixtures/plain-output.ts')
  const child = await startChild({ name: 'fixture', entry })
  expect(await child.exited).toEqual({ code: 0, signal: null })
  const line = (text: string) => ({
    ...{ level: 'warn', message: 'library message', service: 'fixture' },
    timestamp: expect.any(String) as string,
    text,
  })
  expect(child.lastLines().map((text) => JSON.parse(text) as unknown)).toEqual([
    line('[WARN] 2 replies'),
    line('no room'),
    line('DeprecationWarning: old interface'),
  ])
})
