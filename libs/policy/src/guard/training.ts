// What training and measuring the model of harm need, without the committed model.
export { HARM_CATEGORIES } from './harm.policy.ts'
export { packHarm, unpackHarm } from './harm/harm-file.ts'
export { harmScores, trainHarm, type HarmModel, type HarmRow } from './harm/harm-model.policy.ts'
export { findHarmWords } from './harm/harm-words.policy.ts'
