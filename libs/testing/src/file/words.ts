// The words of a test file.
export const STATUSES = ['completed', 'failed', 'cancelled'] as const
const SAID = ['answers', 'people', 'params', 'events', 'now'] as const
export const FILE_WORDS = ['flow', 'about', 'flows', ...SAID, 'cases'] as const
export const CASE_WORDS = ['name', 'about', 'input', ...SAID, 'expect'] as const
export const EXPECT_WORDS = [
  'status',
  'output',
  'fault',
  'path',
  'notPath',
  'asked',
  'notAsked',
  'people',
  'cost',
  'steps',
  'duration',
  'degraded',
  'emitted',
] as const
export const SCRIPT_WORDS = [
  'gives',
  'fails',
  'calls',
  'takes',
  'cost',
  'tokens',
  'by',
  'leftOut',
  'confidence',
  'message',
  'times',
] as const
export const PERSON_WORDS = ['decides', 'output', 'after', 'by', 'reason'] as const
export const HAPPENING_WORDS = ['at', 'event', 'data', 'id', 'do', 'by', 'reason', 'input', 'params'] as const
