/** Envelope of a bulk request's elements, `{"type":"transition","elements":[…]}`. Source: openapi. */
export const BULK_PREFIX = '{"type":"transition","elements":['
export const BULK_SUFFIX = ']}'

/** Bytes of a bulk body that are not elements or the commas between them. */
export const BULK_ENVELOPE_BYTES = BULK_PREFIX.length + BULK_SUFFIX.length
