import { parseRedisUrl } from '../../src/config/redis-url.js'

describe('REDIS_URL', () => {
  it.each([
    ['redis://localhost:6379', { mode: 'single', url: 'redis://localhost:6379' }],
    [' rediss://u:p@r.example/3 ', { mode: 'single', url: 'rediss://u:p@r.example/3' }],
    [
      'redis://a:1, rediss://b:2,redis://c',
      { mode: 'cluster', urls: ['redis://a:1', 'rediss://b:2', 'redis://c'] },
    ],
    [
      'redis+sentinel://a:1,b/main',
      {
        mode: 'sentinel',
        sentinels: [
          { host: 'a', port: 1 },
          { host: 'b', port: 26_379 },
        ],
        master: 'main',
        secure: false,
      },
    ],
    [
      'rediss+sentinel://us%40er:pa%3Ass@a:1, b:2 /main',
      {
        mode: 'sentinel',
        sentinels: [
          { host: 'a', port: 1 },
          { host: 'b', port: 2 },
        ],
        master: 'main',
        username: 'us@er',
        password: 'pa:ss',
        secure: true,
      },
    ],
    [
      'redis+sentinel://:secret@a/main',
      {
        mode: 'sentinel',
        sentinels: [{ host: 'a', port: 26_379 }],
        master: 'main',
        password: 'secret',
        secure: false,
      },
    ],
    [
      'redis+sentinel://user:@a/main',
      {
        mode: 'sentinel',
        sentinels: [{ host: 'a', port: 26_379 }],
        master: 'main',
        username: 'user',
        secure: false,
      },
    ],
  ])('%s is understood', (text, target) => expect(parseRedisUrl(text)).toStrictEqual(target))

  it.each([
    '',
    'localhost:6379',
    'http://localhost',
    'redis:///0',
    'redis://a,',
    'redis://a,http://b',
    'redis+sentinel://a:1',
    'redis+sentinel://a:1/',
    'redis+sentinel:///main',
    'redis+sentinel://a,/main',
    'redis+sentinel://a:0/main',
    'redis+sentinel://a:x/main',
    'redis+sentinel://a:1.5/main',
    'redis+sentinel://a:1/main/0',
    'redis+sentinel://a:1/main\n/0',
    'redis+sentinel://u:p@v@a/main',
    'xredis+sentinel://a/main',
    'http://redis+sentinel://a/main',
  ])('%j is none', (text) => expect(parseRedisUrl(text)).toBeNull())
})
