// A catalogue that nobody sells: products with technical data, reviews and offers, made from a seed.
//   G1. The same seed gives the same catalogue, to the byte; another seed gives another.
//   G2. What reviews say fits their stars, and no offer of a shop without stock counts as the cheapest.

/** The seed of the demonstration. */
export const SEED = 20_261_122
export const PRODUCTS = 200

export type Review = { readonly stars: number; readonly text: string }
export type Offer = { readonly shop: string; readonly price: number; readonly stock: number }
export type Product = {
  readonly id: string
  readonly name: string
  readonly specs: { readonly [name: string]: string | number | boolean }
  readonly reviews: readonly Review[]
  readonly offers: readonly Offer[]
}

/** Numbers in [0, 1) that depend on the seed alone (mulberry32). */
const randomOf = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d_2b_79_f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

type Draw = {
  readonly whole: (from: number, to: number) => number
  readonly one: <T>(list: readonly [T, ...T[]]) => T
}

const drawOf = (random: () => number): Draw => {
  const whole = (from: number, to: number): number => from + Math.floor(random() * (to - from + 1))
  return { whole, one: (list) => list[whole(0, list.length - 1)] ?? list[0] }
}

const SHOPS = ['Harbour Goods', 'Northgate', 'Little Mill', 'Seven Bridges', 'Old Post'] as const
const MAKERS = ['Lumen', 'Arden', 'Kestrel', 'Vale', 'Morrow', 'Fenn'] as const

type Kind = {
  readonly name: string
  readonly price: readonly [number, number]
  readonly praise: readonly [string, ...string[]]
  readonly blame: readonly [string, ...string[]]
  readonly specs: (draw: Draw) => Product['specs']
}

const LAMP: Kind = {
  name: 'desk lamp',
  price: [18, 140],
  praise: ['The light is warm and does not flicker.', 'The arm stays where I put it.', 'Bright enough to draw by.'],
  blame: ['The arm sinks after a week.', 'It hums at half brightness.', 'The cable is far too short.'],
  specs: ({ whole, one }) => ({
    weightGrams: whole(400, 2_400),
    watts: whole(4, 18),
    lumens: whole(200, 1_600),
    colour: one(['black', 'white', 'brass']),
    dimmable: one([true, false]),
  }),
}
const KETTLE: Kind = {
  name: 'kettle',
  price: [22, 110],
  praise: ['It boils a litre in two minutes.', 'The handle stays cool.', 'It pours without a drop beside the cup.'],
  blame: ['The lid came off after a month.', 'It is louder than the old one.', 'The water tastes of plastic.'],
  specs: ({ whole, one }) => ({
    weightGrams: whole(700, 1_900),
    watts: whole(1_200, 3_000),
    litres: whole(8, 20) / 10,
    material: one(['steel', 'glass', 'plastic']),
  }),
}
const HEADPHONES: Kind = {
  name: 'headphones',
  price: [25, 380],
  praise: ['I forget that I wear them.', 'The battery lasts a whole week of work.', 'Voices are clear in the train.'],
  blame: ['The left side fell silent after three months.', 'They press on my ears.', 'They lose the connection in the lift.'],
  specs: ({ whole, one }) => ({
    weightGrams: whole(120, 380),
    batteryHours: whole(8, 60),
    wireless: one([true, false]),
    noiseCancelling: one([true, false]),
  }),
}
const BACKPACK: Kind = {
  name: 'backpack',
  price: [30, 220],
  praise: ['It kept my laptop dry in a storm.', 'The straps do not cut in.', 'There is a pocket for everything.'],
  blame: ['A seam opened on the second trip.', 'The zip catches on the lining.', 'It smells of rubber.'],
  specs: ({ whole, one }) => ({
    weightGrams: whole(500, 1_800),
    litres: whole(12, 45),
    waterproof: one([true, false]),
    laptopInches: one([13, 14, 15, 16]),
  }),
}
const KINDS = [LAMP, KETTLE, HEADPHONES, BACKPACK] as const

const reviewsOf = ({ whole, one }: Draw, { praise, blame }: Kind): readonly Review[] => {
  const good = whole(1, 9) // of ten buyers
  return Array.from({ length: whole(0, 60) }, (): Review => {
    const content = whole(1, 10) <= good
    if (content) return { stars: whole(4, 5), text: one(praise) } // G2
    return { stars: whole(1, 3), text: one(blame) }
  })
}

const offersOf = ({ whole }: Draw, { price: [from, to] }: Kind): readonly Offer[] => {
  const cents = whole(from * 100, to * 100)
  const soldOut = whole(1, 25) === 1
  return SHOPS.filter(() => whole(1, 10) <= 7).map((shop) => ({
    shop,
    price: Math.round(cents * (1 + whole(-8, 15) / 100)) / 100,
    stock: soldOut || whole(0, 4) === 0 ? 0 : whole(1, 40),
  }))
}

/** The whole catalogue (G1). */
export const catalogueOf = (seed = SEED, count = PRODUCTS): readonly Product[] => {
  const draw = drawOf(randomOf(seed))
  return Array.from({ length: count }, (_, at): Product => {
    const kind = draw.one(KINDS)
    return {
      id: `p${at + 1}`,
      name: `${draw.one(MAKERS)} ${kind.name} ${draw.whole(100, 999)}`,
      specs: kind.specs(draw),
      reviews: reviewsOf(draw, kind),
      offers: offersOf(draw, kind),
    }
  })
}
