import assert from 'node:assert/strict'
import { priceOf, totalOf } from '../src/index.js'

assert.equal(priceOf({ grams: 1_200, zone: 'home' }), 630)
assert.equal(totalOf([{ grams: 500, zone: 'near' }]), 1_110)
