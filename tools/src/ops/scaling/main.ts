import { writeFile } from 'node:fs/promises'
import { simulateDay } from './day.js'
import { plotDay } from './plot.js'

// npm run ops:scaling-plot: writes docs/img/workers-wanted.svg.
const target = new URL('../../../../docs/img/workers-wanted.svg', import.meta.url)
await writeFile(target, plotDay(simulateDay()))
