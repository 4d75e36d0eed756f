/** A remainder below this share of a body is left unused rather than paid for with smaller bodies. */
const NEGLIGIBLE = 0.1

/**
 * Share of a saturated budget for one request, so that equal requests use the whole limit: full bodies
 * would leave a remainder in every window that is too small for another body. `perBody`: units of a full
 * body.
 */
export function evenShare(limit: number, perBody: number): number {
  if (perBody <= 0) return limit
  const bodies = limit / perBody
  const whole = Math.floor(bodies)
  const negligible = whole > 0 && bodies - whole < NEGLIGIBLE
  return Math.ceil(limit / (negligible ? bodies : Math.ceil(bodies)))
}
