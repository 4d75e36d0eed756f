import { readdirSync, readFileSync } from 'node:fs'

// What the kernel says of a process; Linux only.

/** Resident memory now (`VmRSS`) or at its most (`VmHWM`), bytes. */
export function memoryBytes(pid: number, field: 'VmRSS' | 'VmHWM' = 'VmRSS'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024
}

export interface ProcessFacts {
  readonly residentMiB: number
  readonly descriptors: number
}

export function processFacts(pid: number): ProcessFacts {
  const descriptors = readdirSync(`/proc/${pid}/fd`).length
  return { residentMiB: Math.round(memoryBytes(pid) / 1_048_576), descriptors }
}
