import { priceOf } from './price.js'

/** What all parcels cost together; the tenth and each after it costs half. */
export const totalOf = (parcels) => parcels.reduce((sum, parcel, at) => sum + priceOf(parcel) / (at < 9 ? 1 : 2), 0)

/** Parcels that are too heavy for their zone. */
export const tooHeavy = (parcels) => parcels.filter(({ grams, zone }) => grams > (zone === 'home' ? 31_500 : 20_000))
