import { readdirSync, readFileSync } from 'node:fs'

export interface ProcessFacts {
  readonly residentMiB: number
  readonly descriptors: number
}

/** What the kernel says of a process (Linux). */
export function processFacts(pid: number): ProcessFacts {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8')
  const kib = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0)
  const descriptors = readdirSync(`/proc/${String(pid)}/fd`).length
  return { residentMiB: Math.round(kib / 1024), descriptors }
}
