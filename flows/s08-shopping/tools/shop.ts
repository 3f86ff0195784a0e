// What the shop knows of its products, from the generated catalogue in catalogue/. Replace them by tools over your own.
import { defineTool } from '@baton/tools'
import { z } from 'zod'
import { pricesOf, reviewsOf, specsOf } from '../catalogue/store.ts'

const product = z.string().min(1).max(100)

export const specs = defineTool({
  name: 'shop/specs',
  about: 'Technical data of a product.',
  effect: 'read',
  input: z.strictObject({ product }),
  output: z.object({ fields: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])) }),
  timeoutMs: 2_000,
  run: (args) => specsOf(args.product),
})

export const reviews = defineTool({
  name: 'shop/reviews',
  about: 'What buyers say of a product.',
  effect: 'read',
  input: z.strictObject({ product, top: z.number().int().min(1).max(100) }),
  output: z.object({ average: z.number(), count: z.number(), texts: z.array(z.string()) }),
  timeoutMs: 2_000,
  run: (args) => reviewsOf(args.product, args.top),
})

export const prices = defineTool({
  name: 'shop/prices',
  about: 'Offers of a product that are in stock, the cheapest first.',
  effect: 'read',
  input: z.strictObject({ product }),
  output: z.object({ cheapest: z.number(), offers: z.array(z.string()) }),
  timeoutMs: 2_000,
  run: (args) => pricesOf(args.product),
})
