export const NAIVE_QUEUE = 'naive'
/** Where the floor's worker finds elements. */
export const FLOOR_LIST = 'floor:elements'
export const APP_ID = 'BENCH'
