import { isObject, type Json, type Reporter } from './findings.js'
import { DEVICE_ATTRIBUTE_TYPES } from './fields.js'
import { checkValues } from './values.js'
import { DEVICE_PLATFORMS, RESERVED_PREFIX, STANDARD_DEVICE_ATTRIBUTES } from './names.js'

/** openapi, CreateDeviceRequest. */
export function checkDevice(device: Json, reporter: Reporter): void {
  const { index, findings } = reporter
  const { attributes } = device
  if (device.customer_id === undefined) findings.add('missing', index, 'customer_id', 'customer_id')
  checkRequiredString(device, 'device_id', '', reporter)
  if (attributes === undefined) findings.add('missing', index, 'attributes', 'attributes')
  else if (!isObject(attributes)) findings.add('wrongType', index, 'attributes', 'object')
  else checkAttributes(attributes, reporter)
}

function checkAttributes(attributes: Json, reporter: Reporter): void {
  const { index, findings } = reporter
  checkRequiredString(attributes, 'platform', 'attributes.', reporter)
  checkRequiredString(attributes, 'push_id', 'attributes.', reporter)
  const { platform } = attributes
  if (typeof platform === 'string' && platform !== '' && !DEVICE_PLATFORMS.has(platform)) {
    const documented = [...DEVICE_PLATFORMS].join(', ')
    findings.add('platformSpelling', index, 'attributes.platform', documented)
  }
  for (const name in attributes) {
    if (name === '') findings.add('emptyName', index, 'attributes.')
    const type = DEVICE_ATTRIBUTE_TYPES.get(name)
    if (type === undefined) lintName(name, reporter)
    else if (attributes[name] !== null && !type.accepts(attributes[name])) {
      findings.add('wrongType', index, `attributes.${name}`, type.expected)
    }
  }
  checkValues(attributes, 'attributes', REQUIRED, reporter)
}

const REQUIRED: ReadonlySet<string> = new Set(['platform', 'push_id'])

function lintName(name: string, { index, findings, names }: Reporter): void {
  if (REQUIRED.has(name) || names.allowed.has(name) || name === '') return
  const isReserved = name.startsWith(RESERVED_PREFIX) && !STANDARD_DEVICE_ATTRIBUTES.has(name)
  findings.add(isReserved ? 'reservedDeviceName' : 'deviceAttribute', index, `attributes.${name}`)
}

function checkRequiredString(
  from: Json,
  name: string,
  prefix: string,
  { index, findings }: Reporter,
): void {
  const value = from[name]
  if (value === undefined) findings.add('missing', index, prefix + name, name)
  else if (typeof value !== 'string') findings.add('wrongType', index, prefix + name, 'string')
  else if (value === '') findings.add('empty', index, prefix + name, name)
}
