import { z } from 'zod'
import { VERSION } from '@relay/shared/version.js'
import { LISTED, MAX_LISTED } from '../import/importer.js'
import * as answers from './answers.js'
import * as elements from './elements.js'
import { anchorOf, ERROR_TYPES } from './errors.js'

type Json = Readonly<Record<string, unknown>>

const JSON_TYPE = 'application/json'
const LINES_TYPE = 'application/x-ndjson'

/** OpenAPI 3.1 of the intake, built from the zod schemas; served at /openapi.json. */
export function openApiDocument(): Json {
  return {
    openapi: '3.1.0',
    info: {
      title: 'relay intake',
      version: VERSION,
      summary: 'The MoEngage Data API, queued, batched and kept within its budgets.',
      description:
        'Post as you would to MoEngage: only the host and the password differ. A success means that every element is stored in the queue, not that MoEngage has it.',
      license: { name: 'UNLICENSED', identifier: 'LicenseRef-UNLICENSED' },
    },
    servers: [{ url: '/', description: 'This relay' }],
    security: [{ producer: [] }],
    tags: [
      { name: 'intake', description: 'The endpoints of the MoEngage Data API' },
      { name: 'import', description: 'NDJSON of any length' },
      { name: 'trace', description: 'Where a request is now' },
    ],
    paths: {
      ...endpoint('customer', 'Create or update a user', elements.customer),
      ...endpoint('event', 'Report events of a user', elements.event),
      ...endpoint('device', 'Create or update a device', elements.device),
      ...endpoint('transition', 'Post many elements of any type', elements.transition),
      ...importPath(),
      ...tracePath(),
    },
    components: {
      securitySchemes: {
        producer: {
          type: 'http',
          scheme: 'basic',
          description: 'User name: the app id. Password: a secret of the producer.',
        },
      },
      parameters,
      headers,
      schemas: schemas(),
    },
  }
}

/** JSON Schemas of everything that has a name. */
function schemas(): Json {
  const registry = z.registry<{ id: string }>()
  const named = [...Object.values(answers), ...Object.values(elements)]
  for (const schema of named) registry.add(schema, { id: schema.meta()?.id ?? '' })
  const uri = (id: string) => `#/components/schemas/${id}`
  const { schemas: all } = z.toJSONSchema(registry, { uri, io: 'input' })
  for (const schema of Object.values(all)) {
    // A component is named by its place, and its dialect is that of the document.
    Reflect.deleteProperty(schema, '$schema')
    Reflect.deleteProperty(schema, '$id')
  }
  return all
}

function schemaRef(schema: z.ZodType): Json {
  return { $ref: `#/components/schemas/${schema.meta()?.id ?? ''}` }
}

function content(type: string, ...schemas: readonly z.ZodType[]): Json {
  const [only] = schemas
  const refs = schemas.map(schemaRef)
  return {
    [type]: { schema: refs.length === 1 && only !== undefined ? schemaRef(only) : { anyOf: refs } },
  }
}

const ref = (kind: string, name: string): Json => ({ $ref: `#/components/${kind}/${name}` })

const parameters = {
  AppId: {
    name: 'app_id',
    in: 'path',
    required: true,
    description: 'The workspace; the same as the user name.',
    schema: { type: 'string' },
  },
  ProjectCode: {
    name: 'project_code',
    in: 'query',
    description:
      'The project of a Portfolio workspace that the elements belong to. Without it MoEngage keeps them outside every project.',
    schema: { type: 'string', minLength: 1, maxLength: 100 },
  },
  Lane: {
    name: 'Relay-Lane',
    in: 'header',
    description: 'backfill uses only the budget that realtime leaves.',
    schema: { type: 'string', enum: ['realtime', 'backfill'], default: 'realtime' },
  },
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    description: 'The same key with the same body within 24 h stores nothing twice.',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  },
  Prefer: {
    name: 'Prefer',
    in: 'header',
    description: '`handling=lenient`: accept the valid elements although others are not.',
    schema: { type: 'string', examples: ['handling=lenient'] },
  },
  FirstLine: {
    name: 'first_line',
    in: 'query',
    description: 'Number of the first line, for an import that resumes after last_line.',
    schema: { type: 'integer', minimum: 1, default: 1 },
  },
  MaxErrors: {
    name: 'max_errors',
    in: 'query',
    description: 'How many errors, and how many warnings, the answer lists.',
    schema: { type: 'integer', minimum: 1, maximum: MAX_LISTED, default: LISTED },
  },
}

const headers = {
  RequestId: {
    description: 'The caller’s own X-Request-Id, else the request id.',
    schema: { type: 'string' },
  },
  RetryAfter: { description: 'Seconds.', schema: { type: 'integer', minimum: 1 } },
}

/** Statuses after which the same request may succeed later. */
const LATER = new Set([409, 429, 503])

/** All refusals, each status with the types that it may have. */
function refusals(...schemas: readonly z.ZodType[]): Json {
  const statuses = [...new Set(Object.values(ERROR_TYPES).flatMap((type) => type.statuses))]
  return Object.fromEntries(
    statuses.sort().map((status) => {
      const types = Object.entries(ERROR_TYPES).filter(([, type]) => type.statuses.includes(status))
      const description = types
        .map(([type, { cause }]) => `[${type}](/docs/errors.md#${anchorOf(type)}): ${cause}`)
        .join('\n\n')
      const retry = LATER.has(status) ? { 'Retry-After': ref('headers', 'RetryAfter') } : {}
      const answer = { description, content: content(JSON_TYPE, ...schemas) }
      return [
        String(status),
        { ...answer, headers: { 'X-Request-Id': ref('headers', 'RequestId'), ...retry } },
      ]
    }),
  )
}

function success(description: string, schema: z.ZodType): Json {
  const sent = { 'X-Request-Id': ref('headers', 'RequestId') }
  return { 200: { description, headers: sent, content: content(JSON_TYPE, schema) } }
}

interface Operation {
  readonly id: string
  readonly tag: 'intake' | 'import' | 'trace'
  readonly summary: string
  readonly parameters: readonly Json[]
  /** Of a POST; without it the operation is a GET. */
  readonly body?: Json
  readonly responses: Json
}

function path(route: string, { id, tag, summary, parameters, body, responses }: Operation): Json {
  const operation = {
    ...{ operationId: id, summary, tags: [tag], parameters },
    ...(body === undefined ? {} : { requestBody: { required: true, content: body } }),
    responses,
  }
  return { [route]: { [body === undefined ? 'get' : 'post']: operation } }
}

const named = (...names: readonly (keyof typeof parameters)[]): readonly Json[] =>
  names.map((name) => ref('parameters', name))

function endpoint(name: string, summary: string, body: z.ZodType): Json {
  return path(`/v1/${name}/{app_id}`, {
    id: `post-${name}`,
    tag: 'intake',
    summary,
    parameters: named('AppId', 'ProjectCode', 'Lane', 'IdempotencyKey', 'Prefer'),
    body: content(JSON_TYPE, body),
    responses: {
      ...success('Every element is stored.', answers.accepted),
      ...refusals(answers.refusal),
    },
  })
}

function importPath(): Json {
  return path('/v1/import/{app_id}', {
    id: 'import',
    tag: 'import',
    summary: 'Import elements, one a line, into the backfill lane',
    parameters: named('AppId', 'ProjectCode', 'IdempotencyKey', 'FirstLine', 'MaxErrors'),
    body: content(LINES_TYPE, elements.element),
    responses: {
      ...success('Every line is stored or listed as rejected.', answers.imported),
      ...refusals(answers.importStopped, answers.refusal),
    },
  })
}

function tracePath(): Json {
  const { 400: params, 401: auth, 404: unknown, 503: later } = refusals(answers.refusal)
  return path('/v1/requests/{request_id}', {
    id: 'trace',
    tag: 'trace',
    summary: 'Where your request is now',
    parameters: [{ name: 'request_id', in: 'path', required: true, schema: { type: 'string' } }],
    responses: {
      ...success('What became of its elements so far.', answers.trace),
      ...{ 400: params, 401: auth, 404: unknown, 503: later },
    },
  })
}
