import fc from 'fast-check'
import { EVENTS, NameTable, scopeOf } from '../../src/census/name-table.js'
import { hashOf } from '../../src/json/byte-names.js'

const name = fc.oneof(
  fc.constantFrom('costarring', 'liquid', 'declinate', 'macallums', ''),
  fc.string({ maxLength: 8, unit: 'grapheme' }),
)

it('finds what a map finds, however many names and scopes there are', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(name, fc.nat(5)), { maxLength: 300 }), (names) => {
      const table = new NameTable()
      const model = new Map<string, number>()
      const keyOf = (text: string, scope: number) => `${scope} ${text}`
      for (const [text, scope] of names) {
        const at = model.get(keyOf(text, scope)) ?? -1
        expect(table.findText(text, scope)).toBe(at)
        if (at >= 0) continue
        const index = table.add(text, scope)
        table.setQuiet(index, [index % 6])
        model.set(keyOf(text, scope), index)
      }
      for (const [text, scope] of names) {
        const index = model.get(keyOf(text, scope)) ?? -1
        const around = Buffer.from(`"${text}"`)
        const inside = around.subarray(1, -1)
        expect(table.find(around, 1, around.length - 1, hashOf(inside), scope)).toBe(index)
        if (scope === EVENTS) expect(table.findEvent(text)).toBe(index)
        for (let type = 0; type < 6; type += 1) {
          expect(table.isQuiet(index, type)).toBe(type === index % 6)
        }
        expect(table.findText(text, scopeOf(1_000))).toBe(-1)
      }
    }),
    { numRuns: 300 },
  )
})
