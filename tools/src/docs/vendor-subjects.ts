/** One thing that the vendor documents: `kind subject`. */
export type Subject = string

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly allOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
}

interface Operation {
  readonly parameters?: readonly { readonly name: string }[]
  readonly responses?: Readonly<Record<string, unknown>>
}

export interface VendorDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

/** Schemas of what relay carries. */
const CARRIED = [
  'CreateUserRequest',
  'UserAttributes',
  'PlatformObject',
  'CreateEventRequest',
  'EventAction',
  'CreateDeviceRequest',
  'DeviceAttributes',
  'BulkImportRequest',
]
const METHODS = new Set(['get', 'post', 'put', 'patch', 'delete'])

/** Every path, parameter, answer and member of the vendor's OpenAPI document. */
export function openApiSubjects({ paths, components }: VendorDocument): Subject[] {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([method]) => METHODS.has(method))
      .flatMap(([method, { parameters = [], responses = {} }]) => [
        `path ${method.toUpperCase()} ${path}`,
        ...parameters.map(({ name }) => `parameter ${name} of ${path}`),
        ...Object.keys(responses).map((status) => `answer ${status} of ${path}`),
      ]),
  )
  const members = CARRIED.flatMap((name) =>
    namesOf(components.schemas[name] ?? {}).map((member) => `member ${name}.${member}`),
  )
  return [...operations, ...members]
}

function namesOf({ properties = {}, allOf = [], oneOf = [] }: Schema): string[] {
  const inner = [...allOf, ...oneOf].flatMap(namesOf)
  return [...new Set([...Object.keys(properties), ...inner])]
}

/** Every limit, error and rule of facts.md: rows of its tables, and its list entries. */
export function factSubjects(facts: string): Subject[] {
  let kind = ''
  return facts.split('\n').flatMap((line) => {
    if (line.startsWith('#')) kind = line
    if (line.startsWith('- ')) return [`rule ${short(line.slice(2))}`]
    const cells = line.split('|').map((cell) => cell.trim())
    if (cells.length > 3 && !/^(-+|limit|status)$/.test(cells[1] ?? '')) {
      if (kind === '## Limits') return [`limit ${cells[1] ?? ''}`]
      return [`error ${cells[1] ?? ''}: ${(cells[2] ?? '').slice(0, 60)}`]
    }
    // Two sections have a paragraph instead of a list.
    return /^(Per end user|Get User)/.test(line) ? [`rule ${short(line)}`] : []
  })
}

function short(text: string): string {
  return text.replaceAll('**', '').replaceAll('|', '/').slice(0, 90)
}
