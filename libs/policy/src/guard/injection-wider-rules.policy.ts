// More sentences by which a text tries to command the model that reads it: worded more freely than those of injection-rules.policy.ts.
import { injectionRule as rule, type InjectionRule } from './injection-rule.ts'

const OVERRIDE = 'tells the reader to leave its rules'
const LEAK = 'asks for what the model was told before'
const COMMAND = 'gives the model orders from within a text'

export const WIDER_RULES: readonly InjectionRule[] = [
  rule(
    'override',
    0.7,
    OVERRIDE,
    /\b(?:set|put|leave|lay) (?:aside|apart)\b[^.!?\n]{0,30}?\b(?:instructions?|guidelines|rules|guidance|restrictions|directives)\b|\b(?:set|put|leave|lay) your (?:instructions?|guidelines|rules|guidance|restrictions) aside\b/g,
  ),
  rule(
    'override',
    0.7,
    OVERRIDE,
    /\b(?:disable|turn off|switch off|deactivate|lift|suspend)\b[^.!?\n]{0,16}?\b(?:your|all|any|the)\b[^.!?\n]{0,12}?\b(?:safety|content|moderation) (?:filters?|checks?|rules?|guidelines|restrictions|guards?|measures)\b/g,
  ),
  rule(
    'persona',
    0.65,
    'asks the model to be something else',
    /\b(?:you are no longer|stop being|quit being|cease to be)\b[^.!?\n]{0,24}?\b(?:assistant|bot|chatbot|ai|model|agent)\b/g,
  ),
  rule(
    'persona',
    0.7,
    'asks for a character without rules',
    /\byou (?:now )?have no (?:rules|restrictions|limits|limitations|filters?)\b|\b(?:act as|answer as|pretend)\b[^.!?\n]{0,40}? (?:without|with no|has no|had no) (?:any )?(?:rules|restrictions|limits|filters?|guidelines|limitations)\b|\bnever (?:trained|learned|taught) to refuse\b/g,
  ),
  rule(
    'prompt_leak',
    0.6,
    LEAK,
    /\b(?:tell|show|give)\b[^.!?\n]{0,24}?\b(?:what|which)\b[^.!?\n]{0,24}?\b(?:developers?|creators?|instructions)\b[^.!?\n]{0,40}?\b(?:at the (?:top|beginning|start)|before (?:my|this|the) (?:first )?(?:message|chat|conversation))\b/g,
  ),
  rule(
    'prompt_leak',
    0.6,
    LEAK,
    /\b(?:complete|finish|continue) (?:the|this) (?:sentence|text|line)[^.!?\n]{0,12}?\b(?:my|the) (?:developers?|instructions|system prompt|creators?)\b/g,
  ),
  rule(
    'new_orders',
    0.6,
    COMMAND,
    /\b(?:your (?:answer|reply|response) (?:must|should) (?:start|begin)|(?:begin|start) your (?:answer|reply|response)) with ["'“«]|\b(?:reply|answer|respond) only with the words? ["'“«]/g,
  ),
  rule(
    'addressed',
    0.75,
    COMMAND,
    /<!--\s{0,4}(?:note to |attention |dear |hidden )?(?:the )?(?:ai|assistant|llm|model|chatbot|gpt|agent)\b/g,
  ),
  rule(
    'role_marker',
    0.65,
    'holds a marker of who speaks',
    /(?:^|\n)\s{0,4}\[(?:system|admin|developer|root|assistant)\][^\n]{0,60}?\b(?:full|always|access|disable|switch off|turn off|ignore|approve|grant)\b/g,
  ),
  rule(
    'exfiltration',
    0.75,
    'asks to send data away',
    /\b(?:send|forward|export|upload|post)\b[^.!?\n]{0,10}?\b(?:all|every|the)\b[^.!?\n]{0,16}?\b(?:customers?|clients?|users?|conversations?|internal|employees?|chat)\b[^.!?\n]{0,24}?\bto (?:https?:\/\/|www\.)/g,
  ),
]
