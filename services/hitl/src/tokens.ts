/** Tokens of the desk, the tables and the settings of people. */
export const REVIEW_DESK = Symbol('review desk')
export const REVIEWS = Symbol('reviews')
export const PEOPLE = Symbol('people')
export const NOTES = Symbol('notes')
export const LINKS = Symbol('links')
export const LEARNED = Symbol('learned')
