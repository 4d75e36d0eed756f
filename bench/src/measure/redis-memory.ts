import type { Redis } from 'ioredis'

/** What the data of a Redis takes, bytes; not its buffers for clients and for its log. */
export async function usedMemory(redis: Redis): Promise<number> {
  const info = await redis.info('memory')
  const read = (field: string) => Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1] ?? 0)
  return read('used_memory') - read('mem_aof_buffer') - read('mem_clients_normal')
}
