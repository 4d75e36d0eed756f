import { writeFile } from 'node:fs/promises'
import { dashboardFiles } from './all.js'

// npm run ops:dashboards: writes ops/dashboards/*.json.
for (const [name, text] of dashboardFiles()) {
  await writeFile(new URL(`../../../../ops/dashboards/${name}`, import.meta.url), text)
}
