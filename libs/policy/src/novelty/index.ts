export { packNovelty, unpackNovelty } from './novelty-bytes.policy.ts'
export { noveltyOf, trainNovelty, type NoveltyExample, type NoveltyModel } from './novelty.policy.ts'
