import { classOf, isPlainList, type ValueClass } from '../../src/batch/coalesce.js'
import { isNested } from '../../src/batch/shape.js'

const classOfText = (json: string) => {
  const around = Buffer.from(`[${json}]`)
  return classOf(around, 1, around.length - 1)
}

it.each<[string, ValueClass | null]>([
  ['true', 'boolean'],
  ['false', 'boolean'],
  ['null', null],
  ['0', 'integer'],
  ['-7', 'integer'],
  ['123456789012345', 'integer'],
  ['1234567890123456', null],
  ['1.5', 'decimal'],
  ['-0.000000000000001', 'decimal'],
  ['123456789012345.5', 'decimal'],
  ['1234567890123456.5', null],
  ['0.1234567890123456', null],
  ['1e3', null],
  ['1.5e3', null],
  ['"12"', 'text of integer'],
  ['"-12.5"', 'text of decimal'],
  ['"1e3"', null],
  ['"12 "', null],
  ['"12x"', null],
  ['"+12"', null],
  ['".5"', null],
  ['"x12"', 'text'],
  ['"a"', 'text'],
  ['" a "', 'text'],
  ['"\\u0061"', 'text'],
  ['"\\u0031"', 'text of integer'],
  ['""', null],
  ['"  "', null],
  ['"null"', null],
  ['" NULL "', null],
  ['"nil"', null],
  ['"none"', null],
  ['"NaN"', null],
  ['"undefined"', null],
  ['"Infinity"', null],
  ['"inf"', null],
  ['"true"', null],
  ['"false"', null],
  ['"Yes"', null],
  ['"no"', null],
  ['"on"', null],
  ['"OFF"', null],
  ['"t"', null],
  ['"f"', null],
  ['"y"', null],
  ['"n"', null],
  ['"yesterday"', 'text'],
  ['"2026-01-02T03:04:05Z"', 'time'],
  ['"2026-01-02T03:04:05.123456789Z"', 'time'],
  ['"2024-02-29T00:00:00Z"', 'time'],
  ['"2026-02-29T00:00:00Z"', null],
  ['"2026-13-01T00:00:00Z"', null],
  ['"2026-01-02T03:04:05.1234567890Z"', null],
  ['"2026-01-02T03:04:05.Z"', null],
  ['"2026-01-02T03:04:05"', null],
  ['"2026-01-02T03:04:05Z "', null],
  ['"12026-01-02T03:04:05Z"', null],
  ['"at 2026-01-02T03:04:05Z"', 'text'],
  [`"${'x'.repeat(512)}"`, 'text'],
  [`"${'x'.repeat(513)}"`, null],
])('the value %s is of the class %s', (json, expected) => expect(classOfText(json)).toBe(expected))

it.each([
  ['{}', true, false],
  ['[]', true, true],
  ['["a",1]', true, true],
  ['[{"a":1}]', true, false],
  ['[[{}]]', true, false],
  ['"["', false, false],
  ['1', false, false],
])('%s is nested: %j, a plain list: %j', (json, nested, list) => {
  const raw = Buffer.from(json)
  expect([isNested(raw[0]), isPlainList(raw)]).toEqual([nested, list])
})
