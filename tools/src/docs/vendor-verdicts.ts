/** What relay does about one thing that the vendor documents. */
export type Verdict = 'carried' | 'refused by name' | 'warned' | 'kept to' | 'not carried'

export interface Ruling {
  /** Of a line: `kind subject`, as the table has it. The first that matches counts. */
  readonly about: RegExp
  readonly verdict: Verdict
  readonly how: string
}

const rule = (about: RegExp, verdict: Verdict, how: string): Ruling => ({ about, verdict, how })

/** In order; a line without a ruling makes the generator fail. */
export const RULINGS: readonly Ruling[] = [
  // Paths of the OpenAPI document
  rule(/^path POST \/(customer|event|device)\/\{\w+\}$/, 'carried', 'same path at relay; leaves as an element of a bulk request'),
  rule(/^path POST \/transition\//, 'carried', 'same path at relay; elements leave in bulk requests of relay’s making'),
  rule(/^path /, 'not carried', '404 that names the host to call'),
  rule(/^parameter (app_id|Workspace_ID) of \/(customer|event|device|transition)\/\{/, 'carried', 'path segment or `?app_id=`; another than the user name is 409'),
  rule(/^parameter X-Forwarded-For of \/(customer|event|device|transition)\/\{/, 'carried', 'sent by relay from the workspace’s `forwardedFor`; a producer’s own is not passed on'),
  rule(/^parameter /, 'not carried', 'of a path that is not carried'),
  rule(/^answer \d+ of \/(customer|event|device|transition)\/\{/, 'carried', 'classified by the worker: delivered, retried, bisected, held or dead-lettered'),
  rule(/^answer /, 'not carried', 'of a path that is not carried'),
  // Members
  rule(/^member UserAttributes\.u_em$/, 'carried', 'refused without "@"; another doubtful spelling is a warning'),
  rule(/^member UserAttributes\.u_bd$/, 'carried', 'another form than a date is a warning'),
  rule(/^member (UserAttributes|DeviceAttributes|EventAction|PlatformObject)\./, 'carried', 'another JSON type is refused by name; null counts as absent, with a warning'),
  rule(/^member (CreateUserRequest|CreateEventRequest|CreateDeviceRequest)\./, 'carried', 'another JSON type is refused by name; unknown members are warned of'),
  rule(/^member BulkImportRequest\./, 'carried', 'refused by name where absent, empty or of another type'),
  // facts.md: limits
  rule(/^limit body/, 'kept to', 'no body over `MOENGAGE_MAX_BODY_BYTES`; an element that cannot fit is 413'),
  rule(/^limit (users|events|devices|scope|window)/, 'kept to', 'budget ledger over all workers, in every window'),
  // facts.md: errors
  rule(/^error 200/, 'carried', 'delivered; silent drops are refused or warned of at intake'),
  rule(/^error /, 'carried', 'classified by the worker: see docs/reports/reliability.md'),
  // facts.md: the rest
  rule(/^rule `customer`/, 'carried', 'members of another type are warned of'),
  rule(/^rule `customer_id`/, 'refused by name', 'the list, exact; another spelling or blanks around it are warned of; control characters or placeholders are refused'),
  rule(/^rule Identity resolution/, 'carried', 'refused without any identifier; the order key is the customer_id or the identifiers'),
  rule(/^rule Attribute names `id`/, 'refused by name', 'also the prefix `moe_`, but for documented names and `allowedNames`'),
  rule(/^rule `addValueToArrayField`/, 'refused by name', 'add and remove of one attribute'),
  rule(/^rule Times/, 'refused by name', 'invalid or future times; old ones and odd offsets are warned of; absent ones are stamped'),
  rule(/^rule Help pages/, 'warned', 'long names, values and arrays, more than 100 attributes of an event'),
  rule(/^rule "Devices can be created/, 'kept to', 'order of a customer across kinds'),
  rule(/^rule The vendor's own samples/, 'warned', 'an unknown `platform`'),
  rule(/^rule Hosts/, 'carried', '`baseUrl` or `dc` of the workspace'),
  rule(/^rule `project_code`/, 'carried', '`?project_code=` of a post or an import'),
  rule(/^rule `X-Forwarded-For`/, 'carried', '`forwardedFor` of the workspace; its 403 is a hold'),
  rule(/^rule `type` of an element/, 'refused by name', 'any other spelling'),
  rule(/^rule Custom identifiers/, 'carried', '`identifiers` of the workspace; blank values never identify'),
  rule(/^rule `unset_attributes`/, 'carried', 'refused where malformed; warned of elsewhere, and where it covers an attribute set beside it, or customer_id'),
  rule(/^rule Array operators/, 'refused by name', 'set with add or remove; operators on `platforms`'),
  rule(/^rule `moe_` names/, 'carried', 'the documented ones and `allowedNames`; others are refused'),
  rule(/^rule Reserved user attribute names/, 'warned', 'each by name'),
  rule(/^rule Datetimes/, 'warned', '`u_bd` of another form; other attributes are free'),
  rule(/^rule Objects/, 'refused by name', 'over 25 KB, over 100 keys, in standard attributes; depth, names, null and empty objects are warned of'),
  rule(/^rule Values/, 'warned', 'mixed and boolean arrays, long URLs and texts, names, attributes beyond 100'),
  rule(/^rule Names per workspace/, 'warned', 'the census: a name beyond the bounds, one letter from an older one, or of another type'),
  rule(/^rule Device attributes outside/, 'warned', 'each by name; devices of a user are not counted'),
  rule(/^rule Per end user/, 'kept to', '`customerLimits`: such a customer is held back'),
  rule(/^rule Every response of a rate-limited/, 'carried', 'read by the worker'),
  rule(/^rule A success carries/, 'carried', 'in trace, log and dead letters'),
  rule(/^rule Published limits/, 'kept to', '`limits` of the workspace'),
  rule(/^rule Several Data API keys/, 'not carried', 'one key per workspace; a changed one is picked up without restart'),
  rule(/^rule Host addresses/, 'kept to', 'connections have a largest age'),
  rule(/^rule Get User/, 'not carried', '404 that names the host to call'),
] // prettier-ignore
