"""Phrases that tell a model what to do, instead of what a tool does.

Each is written for what poisoned descriptions have said, and kept from what
honest ones say: see the two lists beside the tests.
"""

import html
import re
import unicodedata
from typing import Final


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


#: Markup that people do not see, and marks that models obey.
MARKUP: Final = _any(
    r"<!--",
    r"<\s{0,3}/?\s{0,3}(?:important|system|secret|hidden|instructions?|admin"
    r"|assistant|user|prompt|rule|override|critical)\b[^>]{0,80}>",
    r"\[/?(?:inst|system|admin|assistant|override|important)"
    r"(?: (?:override|prompt|message|note|instructions?))?\]",
    r"<\|[a-z_]+\|>",
    r"```\s{0,3}(?:system|assistant|instructions?)\b",
    r"!\[[^\]]{0,99}\]\(\s{0,3}https?://",
    r"(?:^|\n)\s{0,3}\[[^\]\n]{0,40}\]: ?#|<(?:script|template|object)\b",
    r"\bstyle\s?=[^>]{0,80}(?:display\s?:\s?none|visibility\s?:\s?hidden"
    r"|font-size\s?:\s?0|opacity\s?:\s?0)|<\w{1,20}\s[^>]{0,80}\bhidden\b",
    r"(?:^|\n)### (?:instruction|response|system) ?:",
    r"(?:^|\n)\s{0,3}(?:human|user) ?:[^\n]{0,200}\n{1,3}\s{0,3}assistant ?:",
    r"[ \t\u3000]{80}\S|(?:\r?\n[ \t]{0,20}){12}\S",
)
_CALL: Final = r"(?:using|calling|invoking|running|use|call|invoke|run)"
_DO: Final = (
    r"(?:call|use|invoke|read|send|pass|include|run|forward|append|attach|add"
    r"|copy|put|ignore|obey|execute|disclose|reveal)"
)
#: Orders to the model: what to call, whom to obey, whom not to ask.
ORDERS: Final = _any(
    rf"\b(?:before|prior to|after|whenever|every time)\b[^.]{{0,40}}\b{_CALL}"
    r"\b[^.]{0,30}\b(?:any|other|another|every|all)\b[^.]{0,20}"
    r"\btools?\b",
    r"\b(?:whenever|every time|each time) the user\b[^.]{0,40}\b(?:start|begin"
    rf"|{_CALL})\b",
    r"\b(?:ignore|disregard|overr(?:ide|ule)|(?:go|act) against)\b[^.]{0,15}"
    r"\buser(?:'s)? (?:requests?|wish(?:es)?"
    r"|intent|instructions?|questions?)\b",
    r"\bbypass\b[^.]{0,20}\b(?:safety|security|confirmation|approval"
    r"|guardrails?|restrictions?)\b",
    r"\byou (?:must|have to|should) (?:always|also|immediately) "
    rf"{_DO}\b",
    r"\b(?:the|ai|every|any) (?:assistant|model|llm|agent|ai)\b[^.]{0,10}"
    rf"\b(?:must|should|shall|has to|needs? to) (?:\w+ )?{_DO}\b",
    r"(?:^|[.!\n]\s{0,3})(?:assistant|agent|ai) (?:must|should|shall) "
    rf"{_DO}\b",
    r"\btools?\b[^.,]{0,20}\b(?:must|shall|ha(?:s|ve) to) (?!be )(?:\w+ )?"
    rf"(?:{_DO}|mail|bcc)\b",
    r"\b(?:supersedes|replaces|overrides)\b[^.]{0,20}\b(?:all|any|every|other)"
    r"\b[^.]{0,20}\btools?\b",
    r"\b(?:do not|never) (?:use|call|invoke) (?:any )?other tools?\b",
    r"\bprefer this\b[^.]{0,20}\bover (?:(?:the|all|any|every|each)\b"
    r"[^.]{0,9}\b)?others?\b",
    r"\bpriority over (?:all|every|any|other)\b",
    r"\bmust (?:always )?be (?:called|used|invoked|run)\b[^.]{0,30}\b(?:first|"
    r"start of|beginning of|before (?:any|every|all|each|other))\b",
    r"\bfollow\b[^.]{0,20}\b(?:instructions?|commands?|orders?)\b[^.]{0,40}"
    r"\b(?:exactly|without question|in the (?:output|results?))\b",
    r"\byou are (?:now (?:an?|the|in|dan|\w+gpt)|root|an admin\w*"
    r"|an? (?:\w+ )?(?:assistant|ai))\b|\bfrom now on\b[^.]{0,10}\byou\b",
    r"\bact as (?:an?|the) [^.]{0,30}\b(?:model|assistant|ai|root|admin\w*)\b",
    r"(?:^|[.!\n]\s{0,3})(?:system|assistant|developer)(?: prompt| override"
    r"| message| note)?: ?[^.\n]{0,60}\b(?:you|must|ignore|obey|now|always)\b",
    r"(?:^|[.!\n]\s{0,3})(?:system|developer|admin\w*|security) (?:notice"
    r"|override|alert|instructions?) ?:",
    r"\balways (?:call|use|run|invoke) this(?: tool)? first(?=[.!]|$)",
    r"\b(?:call|use|run|invoke) this(?: tool)? for (?:every|each|any|all)"
    r" (?:requests?|messages?|questions?|tasks?)\b",
    r"\b(?:disregard|ignore|distrust|do not (?:trust|believe)) (?:whatever"
    r"|what|anything|everything)\b[^.]{0,40}\b(?:says?|returns?|tells?)\b",
    r"\b(?:pick|use|call|choose|prefer|select) (?:this|it|me)\b[^.]{0,20}\b"
    r"even (?:when|if|where|though) (?:another|others?|a better)\b",
    r"\b(?:come|rank|go)s? (?:before|above|ahead of)\b[^.]{0,30}\b(?:the|your)"
    r" users?\b",
    r"\b(?:decode|decrypt|decipher|unscramble)\b[^.]{0,40}\b(?:follow|obey|do"
    r" (?:as|what)|execute|carry out|act on)\b",
    r"\b(?:replace|swap|substitute|rewrite|alter)\b[^.]{0,40}\b(?:in|of)"
    r" (?:all |each |every )?(?:of )?your (?:answers?|repl(?:y|ies)"
    r"|responses?)",
    r"\bnew instructions?:|\byou (?:have|got|received) new instructions?\b",
    r"\b(?:curl|wget)\b[^\n]{0,80}\|\s{0,3}(?:ba|z|da)?sh\b",
    r"\balready (?:approved|authori[sz]ed|confirmed|consented to)\b[^.]{0,20}"
    r"\b(?:every|all|any|this)\b",
)
#: The same, where a tool's name must be one: ``read_file is deprecated``.
SUPPLANTING: Final = _any(
    r"(?<!if )(?<!when )(?<!where )(?<!once )\b[a-z\d]+(?:_[a-z\d]+)+\b['\"`]?"
    r"(?: tool| function)? (?:is|was|has been) (?:\w+ ){0,2}(?:deprecated"
    r"|broken|buggy|compromised|discontinued|insecure|obsolete|outdated"
    r"|removed|retired|superseded|unreliable|unsafe|wrong)\b[^.]{0,20}"
    r"[,;:.\u2013-] ?(?:\w+ )?(?:call|choose|invoke|prefer|use)"
    r" (?:it|me|this)\b",
    r"\b[a-z\d]+(?:_[a-z\d]+)+\b['\"`]? (?:must|should|may) (?:not|never"
    r"|no longer) be (?:called|invoked|used)(?: any ?more| any longer| again)?"
    r"(?=[.;!]|$)",
    r"\bbefore you (?:answer|reply|respond)\b[^.]{0,20}\b(?:call|invoke|run"
    r"|use) ['\"`]?[a-z\d]+(?:_[a-z\d]+)+\b(?! with (?:the|your)\b)",
)
#: A line's end within a sentence, and the spaces before its next word.
_WRAPPED: Final = re.compile(
    r"(?<=[^\n.!?:])[ \t]*\n[ \t]*(?=[a-z`'\"])| {2,9}"
)
_WANTED: Final = (
    r"(?:api[ _-]?keys?|passwords?|credentials?|secrets?|private keys?"
    r"|(?:access|auth|bearer|refresh) tokens?|environment variables"
    r"|system prompt"
    r"|conversation history|(?:whole|entire|full|complete|this|our)"
    r" conversation|chat history"
    r"|(?:previous|earlier|prior) messages?|this (?:chat|conversation))"
)
#: Wishes for secrets, for silence, and for what others are sent.
CONFIDENTIAL: Final = _any(
    r"(?:~|\$HOME|/root|/home/\w+)/\.(?:ssh|aws|config|cursor|env|netrc|gnupg"
    r"|kube)",
    r"\bid_(?:rsa|ed25519)\b|/etc/(?:passwd|shadow)\b|\bmcp\.json\b",
    r"(?<!not )(?<!never )(?<!n't )\b(?:pass|send|include|provide|give|append"
    r"|attach|put)\b(?:(?!\b(?:not|never|no)\b)[^.]){0,50}"
    rf"\b{_WANTED}\b",
    r"\b(?:retrieve|obtain|find|fetch|extract|collect|take)\b[^.]{0,20}"
    rf"\b(?:user's|your|their)\b[^.]{{0,20}}\b{_WANTED}\b",
    r"\beverything (?:that )?the user (?:has |had )?(?:said|wrote|asked|typed"
    r"|sent|written)\b",
    r"\b(?:whole|entire|full|complete) (?:chat|conversation|dialogue)\b"
    r"[^.]{0,60}\b(?:system prompt|word[- ](?:by|for)[- ]word|verbatim)\b",
    r"\b(?:print|repeat|show|output|reveal) your (?:instructions?|system"
    r"|prompt|rules)\b",
    r"\bread\b[^.]{0,30}\b(?:passwords?|credentials?|private keys?|secrets)\b",
    r"\b(?:call|send)\b[^.]{0,40}\b(?:on|in|of|from) (?:the"
    r"|your|their) (?:user's )?home (?:directory|folder)\b",
    r"\bnever ask\b[^.]{0,20}\b(?:confirm\w*|approv\w*|permission|user)\b",
    r"\bsilently (?:send|forward|call|copy|include|pass|read|obey|execute|run"
    r"|post|upload|record|log|store|save|collect)\b",
    r"\bb?cc(?:s|ed)?:? [\w.+-]+@[\w-]+\.|@[\w.-]+ in (?:b?cc|copy)\b",
    r"\b(?:send|forward|post|upload|copy|bcc|transmit)\b[^.]{0,20}\b(?:all"
    r"|every|each|the (?:results?|contents?|conversation|messages?|answers?"
    r"|e?mails?))\b[^.]{0,30}\bto (?:https?://|[\w.+-]+@[\w-]+\.)",
)


def plain(text: str) -> str:
    """Return a text as a model reads it, whatever letters it is set in."""
    return unicodedata.normalize("NFKC", html.unescape(text))


def unwrapped(text: str) -> str:
    """Return the same with each sentence on one line."""
    return _WRAPPED.sub(" ", plain(text))


def in_words(text: str) -> str:
    """Return the same with the words of a name apart."""
    return unwrapped(text).replace("_", " ")
