import type { Shadowed, WorkspaceMode } from '@relay/shared/config/workspace.js'

/** What becomes of elements: to MoEngage, nowhere, or they wait. */
export type Route = 'send' | 'drop' | 'keep'

/**
 * Elements accepted while the workspace was live are sent whatever it is now; those accepted in
 * shadow as the workspaces file says now, and not while they are still to be kept. Pure.
 */
export function routeOf(
  accepted: WorkspaceMode,
  now: { readonly mode: WorkspaceMode; readonly shadowed: Shadowed },
): Route {
  if (accepted === 'live') return 'send'
  if (now.shadowed === 'drop') return 'drop'
  return now.mode === 'live' ? 'send' : 'keep'
}
