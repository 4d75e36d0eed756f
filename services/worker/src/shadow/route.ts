import type { Shadowed, WorkspaceMode } from '@relay/shared/config/workspace.js'

/** Destination of elements: sent to MoEngage, dropped, or kept in the queue. */
export type Route = 'send' | 'drop' | 'keep'

/**
 * Elements accepted while the workspace was live are sent regardless of its current mode. Those accepted in
 * shadow follow the current workspaces file, once they no longer have to be kept. Pure.
 */
export function routeOf(
  accepted: WorkspaceMode,
  now: { readonly mode: WorkspaceMode; readonly shadowed: Shadowed },
): Route {
  if (accepted === 'live') return 'send'
  if (now.shadowed === 'drop') return 'drop'
  return now.mode === 'live' ? 'send' : 'keep'
}
