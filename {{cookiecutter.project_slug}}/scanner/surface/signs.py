"""Signs that a sentence orders a model about, whatever words it takes.

A phrase can be said in a hundred ways; what it asks for cannot. Each sign is
harmless by itself, and honest descriptions show one or two of them. A
sentence that shows enough of them tells the model whom to obey, what to call
first, or what to hand over.
"""

import re
from collections.abc import Mapping
from typing import Final

LONGEST: Final = 600  # characters of a sentence that are looked at

_TOOLS: Final = (
    r"(?:tools?|functions?|utilit(?:y|ies)|connectors?|plug-?ins?"
    r"|integrations?|(?:tool )?calls?|actions?|capabilit(?:y|ies)"
    r"|invocations?|operations?|servers?)"
)
_PERSON: Final = (
    r"(?:users?|humans?|persons?|people|operators?|customers?|senders?"
    r"|readers?|owners?|reviewers?|auditors?|anyone|anybody|somebody)"
)
_TOLD: Final = (
    r"(?:instructions?|guidance|guidelines?|system (?:prompt|message)|orders"
    r"|directions?|briefing|safety training"
    r"|(?:previous(?:ly)?|earlier|prior|your|existing)(?: \w+)? (?:limits"
    r"|limitations|restrictions|constraints|rules|policies|safeguards)"
    r"|directives?|you (?:were|have been|are) told|(?:your|safety|system)"
    r" (?:rules|polic(?:y|ies)|training|restrictions?))"
)
#: By the sign: what shows it.
_TABLE: Final[Mapping[str, str]] = {
    "the model is meant": (
        r"\b(?:assistants?|language models?|(?:the|an?|any|every|each)"
        r" (?:llm|ai)|ai agents?|chat ?bots?|copilot"
        r"|(?:the|this|any|every|each) models?|your (?:reply|replies|answers?"
        r"|responses?|reasoning|output))\b"
        r"|\b(?:llm|ai) ?:"
    ),
    "it is an order": (
        r"\b(?:must|shall|should|ha(?:s|ve) to|needs? to|(?:is|are) to"
        r"|mandatory|obligatory|compulsory|imperative|vital|crucial|expected"
        r" to|required to|always|make (?:sure|certain)|remember to"
        r"|at all times|no exceptions?|without exception)\b"
        r"(?! (?:not|never)\b)"
    ),
    "it is forbidden": (
        r"\b(?:never|do not|don't|must not|stop|cease|avoid) (?:use|using"
        r"|call|calling|choose|invoke|invoking|run|rely)\b"
    ),
    "other tools are meant": (
        r"\b(?:any|every|each|all|other|the other|no other|another|further"
        r"|alternative|remaining|competing|similar)(?: \w+){0,2}"
        rf" {_TOOLS}\b|\b(?:anything|everything|nothing|something) else\b"
        r"|\b(?:all|any|other|the) alternatives\b|\bthe other \w+, it is\b"
    ),
    "it comes first": (
        r"\b(?:before|prior to|ahead of|precedes?|outranks?|upfront|first"
        r"|beforehand|in advance|prerequisite|precedence|priority|supersedes?"
        r"|whenever"
        r"|instead of|in place of|rather than|prefer(?:red|ably)?|in favou?r"
        r" of|exclusively|every time|each time|after (?:each|every|any)"
        r"|(?:end|begin|start|open|finish|close)s?(?: (?:each|every|all|the"
        r"|any) \w+)? with)\b"
    ),
    "it holds everywhere": (
        r"\b(?:in|of|for|during|throughout|within|start|open|begin|end)"
        r" (?:the|this|each|every|any|a|all|your) (?:entire |whole )?"
        r"(?:sessions?|conversations?|chats?"
        r"|dialogues?|(?:user )?requests?|repl(?:y|ies)|turns?|tasks?)\b"
    ),
    "it is this one": (
        r"\b(?:call|calls) (?:to|of|on) this\b|\bthis (?:call|step|one)\b"
    ),
    "other tools are run down": (
        r"\b(?:unreliable|deprecated|insecure|unsafe|broken|outdated|forbidden"
        r"|inferior|compromised|discontinued|falsified|malicious|dangerous"
        r"|untrusted|obsolete|faulty|retired|wrong)\b"
    ),
    "the user is kept out": (
        r"\b(?:do not|don't|does not|doesn't|never|not|without|no need to"
        r"|avoid|refrain from|rather than|no)(?: \w+){0,3}? (?:tell|mention"
        r"|inform|reveal|disclos|notify|alert|bother|worry|trouble)(?:ing|e|ed"
        rf"|s)?\b[^.]{{0,30}}\b(?:the |any |your )?{_PERSON}\b"
        r"|\bnever let on\b|\bdeny (?:that|it|having|any)\b|\b(?:unaware"
        r"|oblivious|without the knowledge) of\b"
        rf"|\b(?:the |any )?{_PERSON}\b"
        r"(?: \w+){0,2} (?:not|never)"
        r" (?:\w+ ){0,2}(?:be told|be informed|be aware|know|learn|see it"
        r"|hear of|find out|notice|hear)\b"
        r"|\b(?:leave out|omit|drop|suppress|avoid)\b[^.]{0,30}\b(?:reference"
        r"|mention)s?\b|\b(?:keep|hide|conceal|withh[eo]ld)\b[^.]{0,40}\bfrom"
        rf" (?:the |any |your )?{_PERSON}\b"
        r"|\b(?:it|this|that|which|they) (?:would|will|may|might|could)"
        r" (?:only )?(?:confuse|alarm|distract|upset|worry|annoy) (?:them"
        r"|the user|users|people)\b"
    ),
    "it is done on the quiet": (
        r"\b(?:quietly|discreetly|covertly|secretly|unnoticed|behind the"
        r" scenes|surreptitiously|stealthily|inconspicuously)\b"
    ),
    "the user is overruled": (
        rf"\b(?:even (?:if|when|though)|should|no matter what|whatever"
        r"|regardless of (?:what|whether)|although) (?:the |a |your )?"
        rf"{_PERSON} (?:\w+ )?(?:objects?|refuses?|declines?|says?|names?"
        r"|asks?|wants?|protests?|complains?|disagrees?|prefers?)\b"
    ),
    "it goes on all the same": (
        r"\b(?:regardless|anyway|carry on|nevertheless|(?:answer|reply|say"
        r"|respond|claim|pretend) that)\b"
    ),
    "the user is deceived": (
        rf"\b(?:tell|assure|convince|report to) (?:the |your )?{_PERSON}\b"
        r"[^.]{0,60}\b(?:even (?:if|though|when)|regardless|although)\b"
        r"|\b(?:claim|state|say|insist|assert|confirm) that\b[^.]{0,60}\beven"
        r" (?:if|though|when)\b"
        rf"|\bpretend\b[^.]{{0,40}}\b{_PERSON}\b|\blie to\b"
    ),
    "what was said is overruled": (
        r"\b(?:disregard|ignor(?:e|ing)|forget|overrid(?:es?|ing)|overrul\w+"
        r"|set(?:ting)? aside|discard|supersed\w+|cancel(?:s|led)?"
        rf"|(?:takes?|has) precedence|ranks? above|outranks?|trumps?)\b"
        rf"[^.]{{0,60}}\b{_TOLD}\b|\b{_TOLD}\b[^.]{{0,60}}\b(?:suspended"
        r"|void|lifted|cancelled|waived|revoked|relaxed|annulled|obsolete"
        r"|(?:no longer|do not|don't|does not) (?:apply|applies|bind|hold"
        r"|matter|cover|concern|count)|(?:stop|prevent|hinder)s? you)\b"
    ),
    "answers are obeyed": (
        r"\b(?:treat|regard|consider|obey|interpret|take)\b[^.]{0,50}\b(?:text"
        r"|output|outputs|results?|answers?|content|contents|it)\b[^.]{0,40}"
        r"\bas (?:an? |your |the |new |direct )?(?:\w+ )?(?:commands?"
        r"|instructions?|orders?|directives?)\b"
    ),
    "a guard is let down": (
        r"\b(?:maintenance|developer|debug|god|admin|unrestricted|jailbreak"
        r"|privileged|root) mode\b|\b(?:safety|security) (?:checks?|filters?"
        r"|measures?|rules?) (?:are|is) (?:off|disabled|lifted|suspended)\b"
    ),
    "questions are skipped": (
        r"\b(?:skip|bypass|omit)(?:s|ping)? (?:\w+ )?(?:confirmations?"
        r"|approvals?|consent|permissions?)\b"
    ),
    "nobody is asked": (
        r"\bno (?:\w+ )?(?:confirmation|approval|consent|permission)\b"
        r"[^.]{0,20}\b(?:need|necessary|required)[^.]{0,12}\b(?:from|by)"
        r" (?:the )?user"
        r"|\b(?:approve|accept|grant|confirm)s? (?:every|all|any|each)"
        r"(?: \w+){0,2} (?:deletions?|prompts?|confirmations?|permissions?)\b"
    ),
    "somebody is named who may order": (
        r"\b(?:from|by|of) (?:the |your )?(?:operators?|developers?"
        r"|administrators?|vendors?|system|security team|anthropic|openai)\b"
    ),
    "it is a secret": (
        r"\b(?:api keys?|ssh|private keys?|keys you|passwords?|credentials?"
        r"|secrets?|(?:access|session|auth|bearer) tokens?|tokens stored"
        r"|cookies|clipboard|(?:saved |stored )?logins?|key ?chain|wallets?"
        r"|seed phrases?|passphrases?|shell history|(?:credit )?card numbers?"
        r"|environment variables?|env(?:ironment)? vars?"
        r"|home (?:folder|directory))\b"
        r"|(?:^|[\s`'\"/])\.(?:env|ssh|aws|netrc|npmrc|git|git-credentials|kube)\b"
    ),
    "it was said in confidence": (
        r"\b(?:conversations?|chats?|dialogues?|transcripts?|chat history"
        r"|(?:whatever|everything|all that) (?:the |a )?(?:user|person|human)"
        r" (?:types?|writes?|says?|asks?|sends?|wrote|typed|said)"
        r"|prompt history|system message|(?:complete|full|entire) (?:thread"
        r"|exchange|context)|context window|discussions? so far"
        r"|(?:previous|earlier|prior|last|past|user|all) messages?|system"
        r" prompt|what (?:the |a )?user (?:\w+ )?(?:asked|said|typed|wrote"
        r"|wants?)|(?:full|whole|exact|entire) (?:text|question|prompt"
        r"|wording))\b"
    ),
    "it is handed over": (
        r"\b(?:send|sends|sent|attach|append|include|put|pass|forward|fetch"
        r"|cop(?:y|ied)|bcc|encode|embed|paste|suppl(?:y|ied)|hand(?:ed)?"
        r"|enclose|transmit|upload|report|post|leak|relay|share|gather"
        r"|collect|harvest|are part of|receive|transfer|deliver|submit|dump"
        r"|disclose|reveal|expose|export|hand over|goes? (?:in)?to|mirror"
        r"|carry|cc|mail)\b"
    ),
    "it goes elsewhere": (
        r"https?://|\bb?cc\b|\bblind cop(?:y|ies)\b|\bbase ?64\b|\brot13\b"
        r"|\b(?:first|second|third|last|other) (?:argument|parameter|field)\b"
        r"|[\w.+-]+@[\w-]+\.\w|\bside ?notes?\b|\bas a"
        r" (?:comment|footnote)\b|\b(?:next|each|every) (?:web |http |outgoing"
        r" )?(?:request|mail|message)\b|\balong\b"
    ),
    "it is said in another language": (
        r"\b(?:vergiss|missachte|ignoriere?|olvid[ae]|ignor[ae]|oublie[zr]?"
        r"|dimentica|esqueça|забудь|игнорируй)\w*\b[^.]{0,30}(?:anweisung"
        r"|instruc|istruzion|instruç|инструкц|regeln|reglas|règles|consignes)"
        r"|\banweisungen (?:gelten|sind)\b[^.]{0,20}\b(?:nicht|ungültig"
        r"|aufgehoben)\b|\b(?:bevor|vor) (?:du |sie )?(?:ein |jede[ms]? )?"
        r"(?:alle[mn]? )?ander\w+"
        r"|\b(?:sag|verrat|erzähl|zeig|mitteil)\w*\b[^.]{0,30}\b(?:benutzer"
        r"|nutzer|anwender)\w*\b[^.]{0,15}\b(?:nichts|nicht)"
        r"|\bn(?:e |'|\u2019)[^.]{0,20}\bpas\b[^.]{0,20}\butilisateur"
        r"|\bavant (?:tou(?:s|te|tes)|d'utiliser|chaque)\b[^.]{0,25}\bautre"
        r"|\bno (?:se )?(?:lo |le )?(?:digas|cuentes|menciones|informes)\b"
        r"[^.]{0,20}\busuario|\bantes de (?:usar|llamar|cualquier)[^.]{0,15}"
        r"\botr[ao]s?\b|\bnon (?:dir|rivelar|menzionar)\w*\b[^.]{0,20}\butente"
        r"|\bnão (?:diga|conte|mencione)\b[^.]{0,20}\busuário"
        r"|不要(?:告诉|通知|透露)[^。]{0,6}用户|在(?:使用|调用)其他[^。]{0,6}之前"
        r"|ユーザー[^。]{0,6}(?:知らせ|伝え|言わ)[^。]{0,3}(?:ない|ず)"
        r"|не (?:говори|сообщай|рассказывай)\w*[^.]{0,20}пользовател"
    ),
}
SIGNS: Final = {name: re.compile(text) for name, text in _TABLE.items()}
Together = tuple[frozenset[str], ...]


def _together(*each: str) -> Together:
    return tuple(frozenset(one.split(", ")) for one in each)


#: What nobody says to a model for its user's good.
OVERRULING: Final = _together(
    "what was said is overruled",
    "answers are obeyed",
    "nobody is asked",
    "it is said in another language",
)
#: What no honest sentence shows together: it gives the model orders …
ORDERING: Final = OVERRULING + _together(
    "it is done on the quiet, the model is meant",
    "it is done on the quiet, it is an order",
    "the user is overruled, it is an order",
    "the user is overruled, it comes first",
    "the user is overruled, other tools are meant",
    "the user is overruled, it goes on all the same",
    "a guard is let down, it is an order",
    "a guard is let down, the model is meant",
    "a guard is let down, questions are skipped",
    "other tools are meant, it comes first, it is an order",
    "other tools are meant, it comes first, it is forbidden",
    "other tools are meant, it comes first, it holds everywhere",
    "other tools are meant, other tools are run down, it is an order",
    "other tools are meant, other tools are run down, it comes first",
    "other tools are meant, other tools are run down, it is forbidden",
    "the model is meant, it is an order, it comes first",
    "it comes first, it holds everywhere, it is this one",
    "it comes first, other tools are meant, it is this one",
    "somebody is named who may order, it comes first, it is an order",
)
#: … or wants what is nobody's business, or the user kept out.
CONFIDING: Final = _together(
    "the user is kept out",
    "the user is deceived",
    "the model is meant, it comes first, it is a secret",
    "it is handed over, it is done on the quiet, it is a secret",
    "it is handed over, it is done on the quiet, it goes elsewhere",
    "it is handed over, it is a secret, the model is meant",
    "it is handed over, it is a secret, it is an order",
    "it is handed over, it is a secret, it goes elsewhere",
    "it is handed over, it was said in confidence, the model is meant",
    "it is handed over, it was said in confidence, it is an order",
    "it is handed over, it was said in confidence, it goes elsewhere",
    "it is handed over, it goes elsewhere, it is an order",
)
_SENTENCE: Final = re.compile(r"(?<=[.!?。])\s+|\n\s*\n|\n(?=\s*[-*#\d])")


def telling(text: str, together: Together) -> str:
    """Return the first sentence that shows enough signs; empty if none."""
    for sentence in _SENTENCE.split(text.lower()):
        shown = signs(sentence[:LONGEST])
        if any(each <= shown for each in together):
            return sentence.strip()
    return ""


def signs(sentence: str) -> frozenset[str]:
    """Return the signs that a sentence in small letters shows."""
    shown = (name for name, sign in SIGNS.items() if sign.search(sentence))
    return frozenset(shown)
