import type { Workspace } from '@relay/shared/config/workspace.js'

export const NOW_MS = Date.UTC(2026, 10, 23, 12, 0, 0)
export const APP = 'APP_DEBUG'
export const OTHER_APP = 'OTHER_DEBUG'

export function workspace(appId: string, change: Partial<Workspace> = {}): Workspace {
  return {
    appId,
    apiKey: 'vendor-key',
    baseUrl: 'https://api-02.moengage.com',
    limits: {
      usersPerWindow: 5_000,
      eventsPerWindow: 20_000,
      devicesPerWindow: null,
      maxBodyBytes: 128_000,
    },
    producers: null,
    quotas: new Map(),
    mode: 'live' as const,
    shadowed: 'drop' as const,
    ...change,
  }
}
