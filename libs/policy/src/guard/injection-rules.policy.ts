// Sentences by which a text tries to command the model that reads it. Reviewed patterns, each linear: every gap is bounded.

import { injectionRule as rule, type InjectionRule } from './injection-rule.ts'
import { WIDER_RULES } from './injection-wider-rules.policy.ts'

const OVERRIDE = 'tells the reader to ignore its instructions'
const LEAK = 'asks for the hidden prompt'
const PERSONA = 'asks for a character without rules'
const MARKER = 'holds a marker of who speaks'
const COMMAND = 'gives the model orders from within a text'
const EXFILTRATION = 'asks to send data away'

export const INJECTION_RULES: readonly InjectionRule[] = [
  rule(
    'override',
    0.85,
    OVERRIDE,
    /\b(?:ignore|disregard|forget|overlook|override|bypass|discard|drop)\b[^.!?\n]{0,24}?\b(?:previous|prior|above|earlier|preceding|foregoing|initial|original|existing|system|your|all|any|these|those)\b[^.!?\n]{0,24}?\b(?:instructions?|directions|prompts?|directives?|guidelines?|programming|system message|context|commands?|guardrails?|safety (?:rules|filters?|policies))\b/g,
  ),
  rule(
    'override',
    0.7,
    OVERRIDE,
    /\b(?:ignore|disregard|forget) (?:everything|all(?: of that)?|anything|what)\b[^.!?\n]{0,40}?\b(?:above|before|said|told|so far|until now|previously|earlier)\b/g,
  ),
  rule(
    'override',
    0.85,
    OVERRIDE,
    /\b(?:ignorier\w*|vergiss|vergessen sie|missachte\w*)\b[^.!?\n]{0,40}?\b(?:anweisung\w*|instruktion\w*|regeln|vorgaben|befehle|prompts?)/g,
  ),
  rule(
    'override',
    0.85,
    OVERRIDE,
    /\b(?:ignora|ignore[sz]?|olvida|oublie[sz]?|dimentica|negeer|vergeet|esquece|desconsidere)\b[^.!?\n]{0,40}?(?:instruc\w+|instruç\w+|consignes|istruzioni|instructies|indicaciones|órdenes|reglas|règles|regole|regels)/g,
  ),
  rule(
    'override',
    0.6,
    OVERRIDE,
    /\b(?:do not|don't|stop|no longer|never) (?:follow|obey|apply|comply with|adhere to|use)(?:ing)?\b[^.!?\n]{0,24}?\b(?:your|the system|previous|above|original|safety|openai|anthropic)\b[^.!?\n]{0,24}?\b(?:instructions?|rules?|guidelines?|polic(?:y|ies)|prompts?|programming)\b/g,
  ),
  rule(
    'new_orders',
    0.6,
    COMMAND,
    /(?:^|[\n.:!]\s{0,3})(?:new|updated|revised|real|actual|additional) (?:system )?(?:instructions?|directives?|task|orders?|prompt|objective)\s{0,2}(?::|for you|follow|begin|-)/g,
  ),
  rule(
    'new_orders',
    0.55,
    COMMAND,
    /\byour (?:new|real|actual|true|only) (?:task|job|goal|objective|purpose|instructions?|role|mission) (?:is|are)\b/g,
  ),
  rule(
    'new_orders',
    0.45,
    COMMAND,
    /\b(?:from now on|henceforth|starting now|as of now),? (?:you(?: will|'ll| must| are| shall)?|respond|answer|reply|act|ab jetzt)\b/g,
  ),
  rule(
    'new_orders',
    0.55,
    COMMAND,
    /\b(?:instead|now),? (?:only |just |simply )?(?:say|print|output|reply|respond|answer|write)(?: only| just| with)?[^.!?\n]{0,12}["'“«](?:[^"'”»\n]{1,60})["'”»]/g,
  ),
  rule(
    'persona',
    0.8,
    PERSONA,
    /\b(?:you are|you're|act as|pretend (?:to be|you are|that you)|roleplay as|become|simulate|enable|enter|activate|switch to)\b[^.!?\n]{0,40}?\b(?:dan\b|stan\b|jailbroken|unrestricted|unfiltered|uncensored|developer mode|dev mode|god mode|debug mode|sudo mode|evil|amoral|without (?:any )?(?:restrictions?|rules|filters?|limits?|guidelines|ethic\w*))/g,
  ),
  rule(
    'persona',
    0.8,
    PERSONA,
    /\bdo anything now\b|\bjailbreak (?:mode|prompt|yourself)|\b(?:no|without)(?: any)? (?:ethical|moral|safety|content) (?:guidelines|restrictions|filters?|constraints|limits|rules)\b|\bfree (?:from|of) (?:all |any )?(?:restrictions|your (?:rules|chains|constraints)|openai)/g,
  ),
  rule(
    'prompt_leak',
    0.8,
    LEAK,
    /\b(?:reveal|show|print|repeat|output|display|tell|give|share|expose|leak|copy|write|list|recite|paste|quote|summari[sz]e|translate|what (?:is|are|was|were))\b[^.!?\n]{0,32}?\b(?:(?:your|the) (?:system|initial|hidden|secret|original|internal|full|entire|exact|developer|confidential) (?:prompt|instructions?|message|rules|guidelines|directives|configuration)|system prompt|(?:your|the) instructions (?:verbatim|above|word for word)|your (?:prompt|instructions)\b)/g,
  ),
  rule(
    'prompt_leak',
    0.75,
    LEAK,
    /\b(?:repeat|print|output|copy|say|return)\b[^.!?\n]{0,24}?\b(?:everything|all|the (?:text|words?|content|message|lines?))\b[^.!?\n]{0,16}?\b(?:above|before this|preceding|starting with "?you are)\b/g,
  ),
  rule(
    'prompt_leak',
    0.75,
    LEAK,
    /\b(?:zeig\w*|nenn\w*|verrat\w*|gib|muestra|revela|montre|affiche|mostra|toon)\b[^.!?\n]{0,40}?(?:system-?prompt|systemanweisung\w*|prompt (?:del sistema|système|di sistema|inicial|initial)|instrucciones (?:iniciales|ocultas))/g,
  ),
  rule(
    'role_marker',
    0.75,
    MARKER,
    /<\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id|end_header_id)\|?>|\[\/?inst\]|<<\/?sys>>|<\/?(?:system|assistant)(?:[ _-]?(?:prompt|message|instructions?))?>|<start_of_turn>/g,
  ),
  rule(
    'role_marker',
    0.6,
    MARKER,
    /(?:^|\n)[ \t]{0,4}(?:#{1,4} ?|\*\*|\[)?(?:system|assistant|developer)(?: (?:prompt|message|note|override|instructions?|update))?(?:\*\*|\])? ?:(?!\/\/)[^\n]{0,20}\b(?:you|ignore|the user|new|always|never|respond|answer|disable|access|admin|override)/g,
  ),
  rule(
    'role_marker',
    0.6,
    MARKER,
    /(?:(?<!-)-{3,40}|(?<!=)={3,40}|(?<!#)#{3,40}|\[|\n|^)\s{0,3}(?:begin|end|start)(?: of)?(?: the)? (?:system|user|prompt|instructions?|admin|hidden|document|context|untrusted)(?: (?:prompt|message|input|query|instructions?|override|mode))?\s{0,3}(?:-{3}|={3}|#{3}|\])/g,
  ),
  rule(
    'addressed',
    0.7,
    COMMAND,
    /\b(?:if you are|if you're|as|dear|attention|note to|notice to|message (?:to|for)|instructions? (?:to|for)|hey|hello)[,:]? (?:an? |the |any |all )?(?:ai\b|a\.i\.|llm|large language model|language model|chatbot|assistant|model|agent|gpt|claude|copilot)s?\b[^.!?\n]{0,40}?(?:[:,]|\bmust\b|\bshould\b|\breading\b|\bprocessing\b|\bsummari[sz]ing\b)[^.!?\n]{0,40}?\b(?:you|must|should|please|include|add|say|state|recommend|respond|rate|rank|ignore|send|do not|don't|write|approve|mention|always)\b/g,
  ),
  rule(
    'addressed',
    0.6,
    COMMAND,
    /\b(?:when|while|before|after) (?:summari[sz]ing|processing|reading|analy[sz]ing|translating|reviewing|answering)\b[^.!?\n]{0,40}?,? (?:you must|always (?:say|state|include|recommend|add)|be sure to (?:include|recommend|say)|do not mention|never mention|also (?:include|send|append|add|recommend))/g,
  ),
  rule(
    'addressed',
    0.6,
    COMMAND,
    /\b(?:do not|don't|never|without) (?:tell|telling|inform|informing|mention|mentioning|reveal|revealing|alert|alerting|notify|notifying|show|showing)\b[^.!?\n]{0,24}?\b(?:the|this to the|it to the|to the|your) (?:user|human|operator|customer|developer|person)\b/g,
  ),
  rule(
    'addressed',
    0.65,
    COMMAND,
    /\b(?:rate|score|grade|rank|mark|classify|label) (?:this|the|it|my)\b[^.!?\n]{0,40}?\b(?:regardless of|no matter|as (?:the )?(?:best|highest|safe|approved|excellent|benign)|(?:10|ten|5|five)(?: out of |\/)(?:10|ten|5|five))[^.!?\n]{0,40}/g,
  ),
  rule(
    'exfiltration',
    0.75,
    EXFILTRATION,
    /\b(?:send|forward|e-?mail|post|upload|transmit|submit|exfiltrate|leak|deliver|append|encode)\b[^.!?\n]{0,40}?\b(?:conversation|chat history|chat log|passwords?|api keys?|credentials?|secrets?|tokens?|system prompt|user'?s? (?:data|details|information|messages?|emails?)|contents? of|environment variables|session|cookies?|contacts|all (?:emails|files|data|messages))\b[^\n]{0,48}?\b(?:to|into|as|in)\b[^\n]{0,24}?(?:https?:\/\/|[\w.+-]{1,40}@[\w-]{1,40}\.|\burl\b|\bwebhook\b|\bquery\b|\blink\b|\bimage\b|\battacker\b)/g,
  ),
  rule(
    'exfiltration',
    0.6,
    'asks to use a tool or to run commands',
    /\b(?:use|call|invoke|run|execute|trigger)\b[^.!?\n]{0,16}?\b(?:the )?(?:tools?|functions?|commands?|shell|bash|terminal|python|transfer_\w+|delete_\w+|send_\w+)\b[^.!?\n]{0,32}?\b(?:rm -rf|delete (?:all|every)|transfer (?:all|the)|without (?:asking|confirmation|approval)|immediately|curl |wget )/g,
  ),
  rule(
    'exfiltration',
    0.5,
    'claims an authority it cannot show',
    /\b(?:i am|i'm|this is|as) (?:the |your |an? )?(?:developer|administrator|admin|creator|openai|anthropic|system operator|root)\b[^.!?\n]{0,40}?\b(?:override|authori[sz]\w+|grant|permission|disable|unlock|access|you (?:must|can|may|should))/g,
  ),
  ...WIDER_RULES,
]

/** The same orders with nothing between their letters, for texts that hide them behind spaces, dots or other alphabets. */
export const SQUEEZED_RULES: readonly RegExp[] = [
  /(?:ignore|disregard|forget|bypass|override)(?:all|any|the|your|my|every|of|and)*(?:previous|prior|above|earlier|preceding|system|safety|original)?(?:instructions?|prompts?|rules|guidelines|directives)/,
  /(?:reveal|show|print|repeat|output|giveme|tellme)(?:me|us)?(?:your|the|full|entire)*(?:systemprompt|hiddeninstructions|initialinstructions|secretinstructions)/,
  /doanythingnow|youarenow(?:dan|unrestricted|jailbroken)|developermode(?:enabled|on)/,
]
