import fc from 'fast-check'
import { AttributeTypes, KEPT, type TypeReadings } from './attribute-types.js'
import { memberOf, textOf, type Raw } from './raw-json.js'

/**
 * How MoEngage might read what its documents leave open. Coalescing must be right under every
 * combination, so the test draws one for each case.
 */
export interface Readings extends TypeReadings {
  readonly userExists: boolean
  readonly nullMeans: 'unset' | 'ignored' | 'stored'
  readonly emptyMeans: 'unset' | 'ignored' | 'stored'
  /** Unsetting an attribute forgets which type it has. */
  readonly unsetForgetsType: boolean
  readonly names: 'exact' | 'any case' | 'cut' | 'dot is blank'
  readonly dots: 'plain' | 'path'
  readonly repeatedName: 'first' | 'last'
  /** What becomes of an update that sets again what cannot be updated. */
  readonly createOnly: 'ignored' | 'drops the update'
  /** What becomes of an update whose identifier belongs to another user. */
  readonly takenIdentifier: 'ignored' | 'drops the update' | 'merges that user'
  readonly changedIdentifier: 'set' | 'drops the update'
  readonly lists: 'replaced' | 'united'
  readonly objects: 'replaced' | 'merged' | 'operators'
  readonly platforms: 'replaced' | 'merged'
  readonly attributesRead: number
  readonly unknownMember: 'ignored' | 'clears the profile'
}

const either = <T>(...options: T[]) => fc.constantFrom(...options)

export const readings: fc.Arbitrary<Readings> = fc.record({
  userExists: fc.boolean(),
  nullMeans: either('unset', 'ignored', 'stored'),
  emptyMeans: either('unset', 'ignored', 'stored'),
  unsetForgetsType: fc.boolean(),
  typed: fc.boolean(),
  castsText: fc.boolean(),
  takesDecimalForInteger: fc.boolean(),
  takesBigNumbers: fc.boolean(),
  longUrl: either('cut', 'ignored'),
  names: either('exact', 'any case', 'cut', 'dot is blank'),
  dots: either('plain', 'path'),
  repeatedName: either('first', 'last'),
  createOnly: either('ignored', 'drops the update'),
  takenIdentifier: either('ignored', 'drops the update', 'merges that user'),
  changedIdentifier: either('set', 'drops the update'),
  lists: either('replaced', 'united'),
  objects: either('replaced', 'merged', 'operators'),
  platforms: either('replaced', 'merged'),
  geoIsChecked: fc.boolean(),
  attributesRead: either(100, Infinity),
  unknownMember: either('ignored', 'clears the profile'),
})

/** An identifier that another user has already. */
export const TAKEN = 'taken@example.com'
/** What the workspace of the model names its users by, beside the standard identifiers. */
export const OWN_IDENTIFIER = 'loyalty_card'
const IDENTIFIERS = new Set(['u_em', 'u_mb', 'uid', 'email', 'moe_gaid', OWN_IDENTIFIER])
const CREATE_ONLY = new Set(['cr_t', 'u_l_a', 'publisher_name', 'campaign_name', 'moe_gaid'])
/** Changes to these have further effects: consent, reachability. */
const WATCHED = /^(moe_|u_gd)/

/** One customer at MoEngage: the profile, and what was seen of events and devices. */
export class CustomerModel {
  readonly #r: Readings
  #exists: boolean
  readonly #values = new Map<string, string>()
  readonly #types: AttributeTypes
  readonly #log: string[] = []
  /** What the watched attributes became, one after the other. */
  readonly #changes = new Map<string, string[]>()
  #merged = false

  constructor(given: Readings) {
    this.#r = given
    this.#exists = given.userExists
    this.#types = new AttributeTypes(given)
  }

  /** Everything that an observer could tell two customers apart by. */
  get observed() {
    return { profile: this.#snapshot(), log: this.#log, changes: [...this.#changes].sort() }
  }

  apply(element: Raw): void {
    switch (textOf(memberOf(element, 'type'))) {
      case 'customer':
        this.#update(element)
        return
      case 'event':
        this.#event(element)
        return
      case 'device':
        if (this.#exists) this.#log.push(`device ${spell(element)} of ${this.#snapshot()}`)
    }
  }

  #snapshot(): string {
    return JSON.stringify([this.#exists, [...this.#values].sort(), this.#types.known()])
  }

  #event(element: Raw): void {
    this.#exists = true
    const actions = memberOf(element, 'actions')
    const device = textOf(memberOf(element, 'device_id'))
    const context = textOf(memberOf(element, 'context'))
    for (const action of actions?.type === 'array' ? actions.items : []) {
      this.#log.push(`${spell(action)} on ${device} in ${context} by ${this.#snapshot()}`)
    }
  }

  #update(element: Raw): void {
    const existingOnly = textOf(memberOf(element, 'update_existing_only')) === 'true'
    if (existingOnly && !this.#exists) return
    if (memberOf(element, 'replace_all') && this.#r.unknownMember !== 'ignored') {
      this.#values.clear()
    }
    const attributes = memberOf(element, 'attributes')
    const members = this.#read(attributes?.type === 'object' ? attributes.members : [])
    if (members.some(([name, value]) => this.#dropsUpdate(name, value, members))) return
    this.#exists = true
    const platforms = memberOf(element, 'platforms')
    if (platforms) this.#setPlatforms('(platforms)', platforms)
    // openapi, customer_id: by the identifiers of the payload users are created, updated or merged.
    if (members.some(namesAnother)) this.#takeOver()
    for (const [name, value] of members) this.#set(name, value)
  }

  /** The members that are looked at, under the names they are known by. */
  #read(members: readonly (readonly [string, Raw])[]): [string, Raw][] {
    const read = members.map(([name, value]): [string, Raw] => [this.#nameOf(name), value])
    const once =
      this.#r.repeatedName === 'last'
        ? read
        : read.filter(([name], i) => read.findIndex(([other]) => other === name) === i)
    return once.slice(0, this.#r.attributesRead)
  }

  #nameOf(name: string): string {
    switch (this.#r.names) {
      case 'exact':
        return name
      case 'any case':
        return name.toLowerCase()
      case 'cut':
        return name.slice(0, 200)
      case 'dot is blank':
        return name.replaceAll('.', ' ')
    }
  }

  #dropsUpdate(name: string, value: Raw, all: readonly [string, Raw][]): boolean {
    const { createOnly, takenIdentifier, changedIdentifier, dots } = this.#r
    const stored = this.#values.get(name)
    const changes = stored !== undefined && stored !== storedOf(value)
    if (CREATE_ONLY.has(name) && stored !== undefined && createOnly !== 'ignored') return true
    if (IDENTIFIERS.has(name)) {
      if (textOf(value) === TAKEN && takenIdentifier === 'drops the update') return true
      if (changes && changedIdentifier !== 'set') return true
    }
    // Behind an API that writes by path, a whole and its part cannot be set at once.
    return dots === 'path' && all.some(([other]) => other.startsWith(`${name}.`))
  }

  #set(name: string, value: Raw): void {
    if (name === 'addValueToArrayField' || name === 'removeValueFromArrayField') {
      this.#changeLists(name, value)
    } else if (namesAnother([name, value])) return
    else if (CREATE_ONLY.has(name) && this.#values.has(name)) return
    else if (name === 'platforms') this.#setPlatforms(name, value)
    else if (value.type === 'array') this.#setList(name, value.items.map(spell))
    else if (value.type === 'object') this.#setObject(name, value)
    else this.#setScalar(name, value)
  }

  #takeOver(): void {
    if (this.#r.takenIdentifier !== 'merges that user' || this.#merged) return
    this.#merged = true
    this.#values.set('plan', 'of the other user')
  }

  #changeLists(operator: string, lists: Raw): void {
    if (lists.type !== 'object') return
    for (const [field, values] of lists.members) {
      const stored = this.#listOf(field)
      const given = values.type === 'array' ? values.items.map(spell) : []
      const kept = stored.filter((item) => !given.includes(item))
      const list = operator.startsWith('add') ? [...kept, ...given] : kept
      this.#values.set(field, JSON.stringify(list))
    }
  }

  #setList(name: string, items: readonly string[]): void {
    const stored = this.#r.lists === 'united' ? this.#listOf(name) : []
    this.#values.set(name, JSON.stringify([...new Set([...stored, ...items])]))
  }

  /** The list that the attribute holds; none when it holds something else. */
  #listOf(name: string): string[] {
    const stored = this.#values.get(name) ?? ''
    return stored.startsWith('[') ? (JSON.parse(stored) as string[]) : []
  }

  #setObject(name: string, value: Raw): void {
    const before = this.#values.get(name) ?? ''
    switch (this.#r.objects) {
      case 'replaced':
        this.#values.set(name, `object ${spell(value)}`)
        return
      case 'merged':
        this.#values.set(name, `object ${before} & ${spell(value)}`)
        return
      case 'operators':
        this.#values.set(
          name,
          memberOf(value, '$inc') ? `object ${before}+1` : `object ${spell(value)}`,
        )
    }
  }

  #setPlatforms(name: string, list: Raw): void {
    if (list.type !== 'array') return
    const stored = new Map<string, string>()
    for (const entry of this.#r.platforms === 'merged' ? this.#listOf(name) : []) {
      stored.set(entry.slice(0, entry.indexOf(' ')), entry)
    }
    for (const entry of list.items) {
      const platform = textOf(memberOf(entry, 'platform'))
      stored.set(platform, `${platform} ${spell(entry)}`)
    }
    this.#values.set(name, JSON.stringify([...stored.values()].sort()))
  }

  #setScalar(name: string, value: Raw): void {
    const text = textOf(value)
    const missing =
      value.type === 'other' && text === 'null'
        ? this.#r.nullMeans
        : value.type === 'string' && text.trim() === ''
          ? this.#r.emptyMeans
          : 'stored'
    if (missing === 'ignored') return
    if (missing === 'unset') {
      this.#values.delete(name)
      if (this.#r.unsetForgetsType) this.#types.forget(name)
      return
    }
    if (!this.#types.take(name, value)) return
    const stored = storedOf(value)
    if (WATCHED.test(name) && this.#values.get(name) !== stored) {
      // Between the attributes of one update there is no order.
      this.#changes.set(name, [...(this.#changes.get(name) ?? []), text])
    }
    this.#values.set(name, stored)
  }
}

function namesAnother([name, value]: readonly [string, Raw]): boolean {
  return IDENTIFIERS.has(name) && textOf(value) === TAKEN
}

/** A scalar as it is kept. */
function storedOf(value: Raw): string {
  return `${value.type} ${textOf(value).slice(0, KEPT)}`
}

/** A value spelt in one way: strings by their text, numbers as they were. */
function spell(value: Raw): string {
  switch (value.type) {
    case 'array':
      return `[${value.items.map(spell).join()}]`
    case 'object':
      return `{${value.members.map(([name, own]) => `${JSON.stringify(name)}:${spell(own)}`).join()}}`
    case 'string':
      return JSON.stringify(value.text)
    case 'other':
      return value.text
  }
}
