import { z } from 'zod'
import { TIMEZONE_OFFSET_SECONDS, CUSTOMER_ID_CHARACTERS } from '../validate/limits.js'
import { TV_SYSTEMS } from '../validate/names.js'

/**
 * Elements as the documents describe them. Blocked values, reserved names and times are in
 * validate/rules.ts. Tests show that everything validation accepts matches these schemas.
 */

const customerId = z
  .string()
  .min(CUSTOMER_ID_CHARACTERS)
  .describe('Your id of the customer. May be absent when identifiers are given.')

const attributes = z.record(z.string(), z.unknown())

const time = z
  .union([z.string(), z.number()])
  .describe('ISO 8601, or epoch seconds or milliseconds; not in the future.')

export const customer = z
  .looseObject({
    type: z.literal('customer'),
    customer_id: customerId.optional(),
    attributes: attributes.optional(),
    platforms: z.array(z.unknown()).optional(),
    update_existing_only: z.unknown().optional(),
  })
  .meta({ id: 'Customer' })

export const action = z
  .looseObject({
    action: z.string().min(1).describe('Name of the event.'),
    attributes: attributes.optional(),
    platform: z.string().optional(),
    app_version: z.unknown().optional(),
    current_time: time
      .optional()
      .describe('When it happened, UTC. Without this and user_time: the moment of acceptance.'),
    user_time: time.optional().describe('When it happened, in the time of the user.'),
    user_timezone_offset: z
      .union([z.number(), z.string()])
      .optional()
      .describe(`Seconds from UTC, within ±${TIMEZONE_OFFSET_SECONDS}.`),
    moe_os_type: z
      .unknown()
      .optional()
      .describe([...TV_SYSTEMS].join(', ')),
  })
  .meta({ id: 'Action' })

export const event = z
  .looseObject({
    type: z.literal('event'),
    customer_id: customerId.optional(),
    device_id: z.unknown().optional(),
    user_identifiers: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
    actions: z.array(action).min(1),
  })
  .meta({ id: 'Event' })

export const device = z
  .looseObject({
    type: z.literal('device'),
    customer_id: customerId.optional(),
    device_id: z.unknown().optional(),
    attributes: attributes.optional(),
  })
  .meta({ id: 'Device' })

export const element = z.discriminatedUnion('type', [customer, event, device]).meta({
  id: 'Element',
})

export const transition = z
  .looseObject({ type: z.literal('transition'), elements: z.array(element).min(1) })
  .meta({ id: 'Transition' })
