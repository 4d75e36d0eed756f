import type { Element, Provenance } from '@relay/shared/element.js'
import type { TracedElement } from '@relay/shared/queue/chunk.js'

/** An element in its own buffer, without a chunk. */
export function plainElement(
  element: Element & { readonly provenance: Provenance },
): TracedElement {
  const { json } = element
  return {
    ...element,
    jsonBytes: json.length,
    copyJson: (target, at) => at + json.copy(target, at),
  }
}
