import { attributes, type ElementCase } from './case.js'

const holding = (value: string): string =>
  `{"type":"customer","customer_id":"ann","attributes":{"a":${value}}}`

/** Values whose bytes must survive: JSON.parse and JSON.stringify would change most of them. */
const SURVIVING = [
  '12345678901234567890', '1.10', '0.1000', '-0', '1e400', '1E+2', '1.0', '123456789.123456789012345',
  '-0.0', '1e-7', '0e0', '"\\u0041"', '"\\/"', '"é"', '"\\u00e9"', '"😀"', '"\\ud83d\\ude00"',
  '"\\uD83D\\uDE00"', '"\\b\\f\\n\\r\\t"', '" two  spaces "', '"\u2028"', '"\u007f"', '"\\u001f"', '""', '[]', '{}',
  '[[],{}]', 'null', 'true', '{"b":1,"a":2,"10":3,"9":4}', '{"__proto__":{"admin":true}}',
  '{"constructor":{"prototype":{"x":1}}}', '{"toString":1,"hasOwnProperty":2}', '"\\\\"', '"\\""', '"\\\\\\""',
  '"{\\"a\\": 1}"', '"ا ل ع"', '"e\u0301"', '"\ufeff"', '"\ufffd"', '"\\uFFFF"', '{"":{"":[]}}',
] // prettier-ignore

/** Those that MoEngage drops or changes. */
const DOUBTFUL = new Map([
  ['""', ['attributes.a']],
  ['null', ['attributes.a']],
  ['{}', ['attributes.a']],
  ['[[],{}]', ['attributes.a', 'attributes.a[1]']],
  ['{"constructor":{"prototype":{"x":1}}}', ['attributes.a.constructor.prototype']],
])

export const VALUE_CASES: readonly ElementCase[] = [
  ...SURVIVING.map((value) => ({
    name: `survives: ${value}`,
    json: holding(value),
    ...(DOUBTFUL.has(value) ? { warned: DOUBTFUL.get(value)! } : {}),
  })),
  { name: '__proto__ as attribute name', json: '{"type":"customer","customer_id":"ann","attributes":{"__proto__":"x"}}' },
  { name: '__proto__ cannot stand in for customer_id', json: '{"type":"customer","__proto__":{"customer_id":"ann"},"attributes":{}}', refused: ['customer_id'] },
  { name: '__proto__ cannot stand in for actions', json: '{"type":"event","customer_id":"ann","__proto__":{"actions":[{"action":"x"}]}}', refused: ['actions'] },
  { name: 'whitespace goes', json: ' {\t"type" : "customer" ,\r\n "customer_id":"a b" , "attributes" : { "n" : [ 1.10 , 2 ] } } ', sent: ['{"type":"customer","customer_id":"a b","attributes":{"n":[1.10,2]}}'] },
  { name: 'duplicate key: the last wins', json: holding('{"x":1,"y":2,"x":3}'), sent: [holding('{"y":2,"x":3}')], warned: ['attributes.a.x'] },
  { name: 'duplicate key written in two ways', json: holding('{"x":1,"\\u0078":2}'), sent: [holding('{"\\u0078":2}')], warned: ['attributes.a.x'] },
  { name: 'duplicate key around numbers', json: holding('{"x":1.10,"b":12345678901234567890,"x":1.20}'), sent: [holding('{"b":12345678901234567890,"x":1.20}')], warned: ['attributes.a.x'] },
  { name: 'duplicate keys, whitespace, nested', json: holding('[ { "x" : { "y" : 1, "y" : [ ] } , "x" : { "y" : "]" , "y" : 2 } } ]'), sent: [holding('[{"x":{"y":2}}]')], warned: ['attributes.a[0].x.y', 'attributes.a[0].x.y', 'attributes.a[0].x'] },
  { name: 'duplicate __proto__', json: holding('{"__proto__":1,"__proto__":2}'), sent: [holding('{"__proto__":2}')], warned: ['attributes.a.__proto__'] },
  { name: 'duplicate customer_id: the last is judged', json: '{"type":"customer","customer_id":"ann","customer_id":"guest"}', refused: ['customer_id'] },
  { name: 'duplicate customer_id: the last is sent', json: '{"type":"customer","customer_id":"guest","customer_id":"ann"}', sent: ['{"type":"customer","customer_id":"ann"}'], warned: ['customer_id'] },
  { name: 'duplicate attributes', json: '{"type":"customer","customer_id":"ann","attributes":{"moe_bad":1},"attributes":{"a":1}}', sent: ['{"type":"customer","customer_id":"ann","attributes":{"a":1}}'], warned: ['attributes'] },
  { name: 'duplicate actions', json: '{"type":"event","customer_id":"ann","actions":[],"actions":[{"action":"x","user_time":1795435200}]}', sent: ['{"type":"event","customer_id":"ann","actions":[{"action":"x","user_time":1795435200}]}'], warned: ['actions'] },
  { name: 'duplicate type', json: '{"type":"event","customer_id":"ann","type":"customer"}', sent: ['{"customer_id":"ann","type":"customer"}'], warned: ['type'] },
  { name: 'lone high surrogate', json: holding('"\\ud800"'), refused: ['attributes.a'], type: 'AttributeError' },
  { name: 'lone low surrogate', json: holding('"\\udc00"'), refused: ['attributes.a'] },
  { name: 'surrogates in the wrong order', json: holding('"\\ude00\\ud83d"'), refused: ['attributes.a'] },
  { name: 'high surrogate twice, then low', json: holding('"\\ud83d\\ud83d\\ude00"'), refused: ['attributes.a'] },
  { name: 'NUL', json: holding('"a\\u0000"'), refused: ['attributes.a'] },
  { name: 'NUL deep inside', json: holding('[1,{"b":["\\u0000"]}]'), refused: ['attributes.a[1].b[0]'] },
  { name: 'NUL in a name', json: holding('{"\\u0000":1}'), refused: ['attributes.a.\u0000'] },
  { name: 'the text \\u0000, escaped', json: holding('"\\\\u0000"') },
  { name: 'two unsendable texts: both listed', json: '{"type":"customer","customer_id":"ann","attributes":{"a":"\\u0000","b":"\\ud800"}}', refused: ['attributes.a', 'attributes.b'] },
  { name: 'exotic names', json: attributes({ 'a.b': 1, 'ü ñ': 2, $x: 3, constructor: 4 }), warned: ['attributes.a.b', 'attributes.$x'] },
  { name: 'not an object: text', json: '"customer"', refused: [''], type: 'TypeError' },
  { name: 'not an object: null', json: 'null', refused: [''], type: 'TypeError' },
  { name: 'not an object: list', json: '[{"type":"customer"}]', refused: [''] },
  { name: 'no type', json: '{"customer_id":"ann"}', refused: ['type'], type: 'AttributeError' },
  { name: 'unknown type', json: '{"type":"user","customer_id":"ann"}', refused: ['type'], type: 'AttributeError' },
  { name: 'type in capitals', json: '{"type":"Customer","customer_id":"ann"}', refused: ['type'] },
  { name: 'type from the prototype', json: '{"type":"constructor","customer_id":"ann"}', refused: ['type'] },
  { name: 'transition inside transition', json: '{"type":"transition","elements":[{"type":"customer","customer_id":"ann"}]}', refused: ['type'] },
  { name: 'type a number', json: '{"type":1,"customer_id":"ann"}', refused: ['type'] },
] // prettier-ignore
