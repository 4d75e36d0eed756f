import { writeFile } from 'node:fs/promises'
import { manifestFiles } from './manifests.js'

// npm run ops:manifests: writes k8s/base/generated/*.yaml.
for (const [name, text] of manifestFiles()) {
  await writeFile(new URL(`../../../../k8s/base/generated/${name}`, import.meta.url), text)
}
