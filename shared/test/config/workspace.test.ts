import { dataCentreUrl, parseBaseUrl, parseWorkspacesFile } from '../../src/config/workspace.js'
import { MAX_BODY_BYTES } from '../../src/vendor/limits.js'

const DEFAULTS = {
  usersPerWindow: 11,
  eventsPerWindow: 22,
  devicesPerWindow: null,
  maxBodyBytes: 3_333,
}

const FILES: Readonly<Record<string, string>> = { good: ' from-a-file\n', blank: ' \n' }

function read(text: string) {
  return parseWorkspacesFile(text, {
    file: 'w.json',
    defaults: DEFAULTS,
    readKeyFile: (path) => {
      const found = FILES[path]
      if (found === undefined) throw new Error('hunter2: no such file')
      return found
    },
  })
}

const least = { appId: 'A', apiKey: 'k', dc: '02' }
const readOne = (change: object) => read(JSON.stringify({ workspaces: [{ ...least, ...change }] }))
const placesOf = (faults: readonly { where: string }[]) => faults.map(({ where }) => where)

describe('a base URL', () => {
  it.each([
    ['https://api-02.moengage.com', 'https://api-02.moengage.com'],
    ['https://api-02.moengage.com/', 'https://api-02.moengage.com'],
    ['http://127.0.0.1:9400', 'http://127.0.0.1:9400'],
    ['https://proxy.example/moengage//', 'https://proxy.example/moengage'],
    ['https://proxy.example/a/b', 'https://proxy.example/a/b'],
    ['', null],
    ['api-02.moengage.com', null],
    ['ftp://api-02.moengage.com', null],
    ['https://user@api-02.moengage.com', null],
    ['https://:pass@api-02.moengage.com', null],
    ['https://api-02.moengage.com?x=1', null],
    ['https://api-02.moengage.com/#x', null],
  ])('%j is %j', (text, expected) => expect(parseBaseUrl(text)).toBe(expected))
})

describe('the workspaces file', () => {
  it('is read without the keys that its files hold, by a process that sends nothing', () => {
    const own = { appId: 'A', dc: '02', apiKeyFile: 'not mounted here' }
    const text = JSON.stringify({ workspaces: [own] })
    const context = { file: 'w.json', defaults: DEFAULTS, readKeyFile: null }
    const { faults, workspaces } = parseWorkspacesFile(text, context)
    expect(faults).toEqual([])
    expect(workspaces).toMatchObject([{ appId: 'A', apiKey: '' }])
  })

  it('needs an app id, a key and a data centre, and takes the rest from the defaults', () => {
    expect(readOne({})).toEqual({
      faults: [],
      workspaces: [
        {
          appId: 'A',
          apiKey: 'k',
          baseUrl: dataCentreUrl('02'),
          limits: DEFAULTS,
          producers: null,
          quotas: new Map(),
          coalesce: undefined,
          mode: 'live',
          shadowed: 'drop',
        },
      ],
    })
    expect(dataCentreUrl('02')).toBe('https://api-02.moengage.com')
    expect(read('{"workspaces":[]}')).toEqual({ faults: [], workspaces: [] })
  })

  it('says all else by workspace', () => {
    const limits = {
      usersPerMinute: 1,
      eventsPerMinute: 2,
      devicesPerMinute: 3,
      maxBodyBytes: MAX_BODY_BYTES,
    }
    const quotas = { shop: { elementsPerMinute: 1, backlogShare: 1 }, crm: {} }
    const { workspaces, faults } = readOne({
      apiKey: undefined,
      apiKeyFile: 'good',
      dc: undefined,
      baseUrl: 'http://127.0.0.1:9400/',
      limits,
      quotas,
      producers: ['shop', 'shop', 'crm'],
      mode: 'shadow',
      shadowed: 'send',
    })
    expect(faults).toEqual([])
    expect(workspaces).toMatchObject([
      {
        apiKey: 'from-a-file',
        baseUrl: 'http://127.0.0.1:9400',
        limits: {
          usersPerWindow: 1,
          eventsPerWindow: 2,
          devicesPerWindow: 3,
          maxBodyBytes: MAX_BODY_BYTES,
        },
        producers: new Set(['shop', 'crm']),
        quotas: new Map(Object.entries(quotas)),
        mode: 'shadow',
        shadowed: 'send',
      },
    ])
  })

  it.each<[string, object, string]>([
    ['no app id', { appId: undefined }, 'appId'],
    ['an empty app id', { appId: '' }, 'appId'],
    ['a long app id', { appId: 'a'.repeat(65) }, 'appId'],
    ['an app id with a blank', { appId: 'a b' }, 'appId'],
    ['an app id with a slash behind', { appId: 'a/' }, 'appId'],
    ['no key', { apiKey: undefined }, 'apiKey'],
    ['an empty key', { apiKey: '' }, 'apiKey'],
    ['two keys', { apiKeyFile: 'good' }, 'apiKey'],
    ['no place', { dc: undefined }, 'baseUrl'],
    ['two places', { baseUrl: 'https://a.example' }, 'baseUrl'],
    ['a place that is none', { dc: undefined, baseUrl: 'a.example' }, 'baseUrl'],
    ['a data centre of one digit', { dc: '2' }, 'dc'],
    ['a data centre of four digits', { dc: '0002' }, 'dc'],
    ['a data centre that is none', { dc: '02.evil.example/' }, 'dc'],
    ['a limit of nothing', { limits: { usersPerMinute: 0 } }, 'limits.usersPerMinute'],
    ['half a unit', { limits: { eventsPerMinute: 1.5 } }, 'limits.eventsPerMinute'],
    ['a body that holds nothing', { limits: { maxBodyBytes: 199 } }, 'limits.maxBodyBytes'],
    [
      'a body that MoEngage refuses',
      { limits: { maxBodyBytes: MAX_BODY_BYTES + 1 } },
      'limits.maxBodyBytes',
    ],
    ['an unknown limit', { limits: { users: 1 } }, 'limits'],
    ['an unknown mode', { mode: 'dark' }, 'mode'],
    ['an unknown fate', { shadowed: 'lose' }, 'shadowed'],
    ['a producer without a name', { producers: [''] }, 'producers.0'],
    ['a quota of nothing', { quotas: { shop: { backlogShare: 0 } } }, 'quotas.shop.backlogShare'],
    ['a quota over all', { quotas: { shop: { backlogShare: 1.1 } } }, 'quotas.shop.backlogShare'],
    ['an unknown quota', { quotas: { shop: { share: 1 } } }, 'quotas.shop'],
    ['a quota without a producer', { quotas: { '': {} } }, 'quotas.'],
    ['an unknown field', { baseURL: 'x' }, ''],
  ])('with %s is refused at its place', (_, change, place) => {
    const { workspaces, faults } = readOne(change)
    expect(workspaces).toEqual([])
    expect(placesOf(faults)).toContain(`w.json workspaces.0${place === '' ? '' : `.${place}`}`)
  })

  it.each(['', '{', '[]', 'null', '{"workspaces":{}}', '{"workspaces":[],"more":1}'])(
    'of %j is refused',
    (text) => {
      const { workspaces, faults } = read(text)
      expect(workspaces).toEqual([])
      expect(faults).toHaveLength(1)
      expect(faults[0]?.where).toMatch(/^w\.json( workspaces)?$/)
    },
  )

  it('tells every fault beside the schema, quoting nothing', () => {
    const workspaces = [
      least,
      least,
      { ...least, appId: 'B', apiKey: undefined, apiKeyFile: 'blank' },
      { ...least, appId: 'C', apiKey: undefined, apiKeyFile: 'nowhere' },
    ]
    const { faults } = read(JSON.stringify({ workspaces }))
    expect(faults.map(({ where, problem }) => `${where} ${problem}`)).toEqual([
      'w.json workspaces.1.appId appears twice',
      'w.json workspaces.2.apiKeyFile is empty',
      'w.json workspaces.3.apiKeyFile cannot be read',
    ])
    expect(JSON.stringify([faults, read('{"apiKey":"hunter2"').faults])).not.toContain('hunter2')
  })
})
