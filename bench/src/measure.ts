import { readFile } from 'node:fs/promises'
import type { Redis } from 'ioredis'

/** The kernel's unit of processor time (USER_HZ). */
const TICKS_PER_SECOND = 100

/**
 * Processor time of processes since they began, all their threads, µs. From the operating system's
 * books, so that what a process would not see of itself (its other threads, the kernel's work for
 * it) counts, too. Exact to 10 ms: measure for seconds.
 */
export async function cpuMicroseconds(pids: readonly number[]): Promise<number> {
  const all = await Promise.all(pids.map(ofProcess))
  return all.reduce((sum, us) => sum + us, 0)
}

async function ofProcess(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  // The second field is the program's name in brackets, and may hold blanks.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  return (ticks * 1e6) / TICKS_PER_SECOND
}

/** What the data of a Redis takes, bytes; not its buffers for clients and for its log. */
export async function usedMemory(redis: Redis): Promise<number> {
  const info = await redis.info('memory')
  const read = (field: string) => Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1] ?? 0)
  return read('used_memory') - read('mem_aof_buffer') - read('mem_clients_normal')
}

/** The value below which `share` of the sorted values lie; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const index = Math.min(sorted.length - 1, Math.floor(share * sorted.length))
  return sorted[index] ?? Number.NaN
}

/** The middle value, or the mean of the two middle ones; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length / 2
  const [low, high] = [sorted[Math.ceil(half) - 1], sorted[Math.floor(half)]]
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2
}

/** From the least to the most, as a share of the median. */
export function spread(values: readonly number[]): number {
  const middle = median(values)
  return middle === 0 ? 0 : (Math.max(...values) - Math.min(...values)) / middle
}
