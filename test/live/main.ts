import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ROOT } from '@relay/tools/folders.js'
import { photographConsole } from './console-pictures.js'
import { startRelayUnderLoad } from './relay-under-load.js'

// npm run docs:pictures: writes docs/img/console/*.png from a relay under load.
// Services run as built: npm run build first.

/** Enough traffic for every view to have something to show, ms. */
const WARM_UP_MS = 20_000

const relay = await startRelayUnderLoad()
try {
  await sleep(WARM_UP_MS)
  const done = await photographConsole(relay, join(ROOT, 'docs/img/console'))
  if (!done) console.log('No Chromium found; the pictures of the console were not updated.')
} finally {
  await relay.stop()
}
