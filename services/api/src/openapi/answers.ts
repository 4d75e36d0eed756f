import { z } from 'zod'
import { LISTED, MAX_LISTED } from '../import/importer.js'
import { ERROR_TYPES } from './errors.js'

/** The answers of the intake. Tests check every answer against these. */

const requestId = z
  .string()
  .min(1)
  .describe('Identifies the request; quote it when you contact an operator.')

export const detail = z
  .strictObject({
    index: z.int().min(0).optional().describe('Position of the element, 0-based.'),
    attribute: z
      .string()
      .describe('Path inside the element, or name of a header or query parameter.'),
    message: z.string(),
  })
  .meta({ id: 'Detail' })

export const accepted = z
  .strictObject({
    status: z.literal('success'),
    message: z.string(),
    request_id: requestId,
    warnings: z
      .array(detail)
      .optional()
      .describe('Accepted, but MoEngage would truncate or may misread it.'),
    rejected: z
      .array(detail)
      .optional()
      .describe('Only with `Prefer: handling=lenient`: what was left out, and why.'),
  })
  .meta({ id: 'Accepted' })

const error = z.strictObject({
  message: z.string(),
  type: z.enum(Object.keys(ERROR_TYPES)).describe('See docs/reference/errors.md.'),
  request_id: requestId,
  attribute: z.string().optional(),
  details: z.array(detail).optional(),
})

export const refusal = z.strictObject({ status: z.literal('fail'), error }).meta({ id: 'Refusal' })

export const lineFinding = z
  .strictObject({
    line: z.int().min(1).optional().describe('1-based; blank lines count. Absent: the request.'),
    attribute: z.string(),
    message: z.string(),
  })
  .meta({ id: 'LineFinding' })

const importFacts = {
  accepted: z.int().min(0).describe('Lines that are stored.'),
  rejected: z.int().min(0).describe('Lines that are not valid.'),
  errors: z
    .array(lineFinding)
    .max(MAX_LISTED)
    .describe(`The first ${LISTED} problems, or max_errors.`),
  warnings: z
    .array(lineFinding)
    .max(MAX_LISTED)
    .optional()
    .describe('Warnings, if any, up to the same number.'),
  request_id: requestId,
}

export const imported = z.strictObject(importFacts).meta({ id: 'Imported' })

export const importStopped = z
  .strictObject({
    status: z.literal('fail'),
    error,
    ...importFacts,
    last_line: z
      .int()
      .min(0)
      .describe('Every line up to this one is stored or rejected; resume after it.'),
  })
  .meta({ id: 'ImportStopped' })

export const trace = z
  .looseObject({
    request_id: requestId,
    accepted_at: z.iso.datetime(),
    state: z.string(),
    counts: z.record(z.string(), z.int().nullable()),
  })
  .meta({ id: 'Trace' })
