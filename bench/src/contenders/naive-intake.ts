/** The intake that one would write in an afternoon: Express, zod, a BullMQ job per element. */
import { Queue } from 'bullmq'
import express from 'express'
import { z } from 'zod'
import { NAIVE_QUEUE } from './names.js'

const customer = z.object({
  type: z.literal('customer'),
  customer_id: z.string().min(1),
  attributes: z.record(z.string(), z.unknown()),
})
const device = customer.extend({ type: z.literal('device'), device_id: z.string() })
const event = z.object({
  type: z.literal('event'),
  customer_id: z.string().min(1),
  device_id: z.string().optional(),
  actions: z
    .array(
      z.object({
        action: z.string().min(1),
        attributes: z.record(z.string(), z.unknown()).optional(),
        platform: z.string().optional(),
        app_version: z.string().optional(),
        current_time: z.iso.datetime().optional(),
        user_timezone_offset: z.number().optional(),
      }),
    )
    .min(1),
})
const post = z.object({
  type: z.literal('transition'),
  elements: z.array(z.discriminatedUnion('type', [customer, device, event])).min(1),
})

const queue = new Queue(NAIVE_QUEUE, { connection: { url: process.env.REDIS_URL ?? '' } })
const app = express()
app.use(express.json({ limit: '1mb' }))
app.post('/v1/transition/:appId', async (request, response) => {
  const parsed = post.safeParse(request.body)
  if (!parsed.success) {
    response.status(400).json({ status: 'fail', error: z.treeifyError(parsed.error) })
    return
  }
  const jobs = parsed.data.elements.map((data) => ({ name: data.type, data }))
  await queue.addBulk(jobs)
  response.json({ status: 'success' })
})
app.listen(Number(process.env.PORT), '127.0.0.1')
