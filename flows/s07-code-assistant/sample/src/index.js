export { totalOf, tooHeavy } from './cart.js'
export { priceOf } from './price.js'
