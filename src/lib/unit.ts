/**
 * The name of the unit that all zones share. No zone can have it: the name of an apex ends in a dot.
 */
export const COMMON_UNIT = 'common';
