const BOM = Buffer.from([0xef, 0xbb, 0xbf])

/** Bytes of the mark. */
export const BOM_BYTES = BOM.length

/** The text without the byte order mark that some editors and libraries add. */
export function withoutByteOrderMark(bytes: Buffer): Buffer {
  return bytes[0] === BOM[0] && bytes.subarray(0, BOM.length).equals(BOM)
    ? bytes.subarray(BOM.length)
    : bytes
}
