/** Rates in cents: a base for each zone, and a part for each kilogram that has begun. */
const RATES = { home: { base: 450, kilogram: 90 }, near: { base: 900, kilogram: 210 }, far: { base: 1_900, kilogram: 480 } }

/** The price of a parcel in cents. Throws for a zone that has no rate. */
export const priceOf = ({ grams, zone }) => {
  const rate = RATES[zone]
  if (rate === undefined) throw new Error(`no rate for zone ${zone}`)
  return rate.base + Math.ceil(grams / 1_000) * rate.kilogram
}
