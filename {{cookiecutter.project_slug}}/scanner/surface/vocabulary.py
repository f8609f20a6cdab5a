"""The words by which each sign is known that a sentence may show."""

from collections.abc import Mapping
from typing import Final

_TOOLS: Final = (
    r"(?:tools?|functions?|utilit(?:y|ies)|connectors?|plug-?ins?"
    r"|integrations?|(?:tool )?calls?|actions?|capabilit(?:y|ies)"
    r"|invocations?|operations?|servers?)"
)
_PERSON: Final = (
    r"(?:users?|humans?|persons?|people|operators?|customers?|senders?"
    r"|readers?|owners?|reviewers?|auditors?|anyone|anybody|somebody|someone)"
)
_TOLD: Final = (
    r"(?:instructions?|guidance|guidelines?|system (?:prompt|message)|orders"
    r"|directions?|briefing|safety training"
    r"|(?:previous(?:ly)?|earlier|prior|your|existing)(?: \w+)? (?:limits"
    r"|limitations|restrictions|constraints|rules|policies|safeguards)"
    r"|directives?|you (?:were|have been|are) (?:told|given|taught)"
    r"|(?:your|safety|system)"
    r" (?:rules|polic(?:y|ies)|training|restrictions?|principles)"
    r"|your (?:developers?|makers?|creators?)(?: \w+){0,2}"
    r" (?:told|gave|taught))"
)
#: By the sign: what shows it.
TABLE: Final[Mapping[str, str]] = {
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
        r"|at all times|no exceptions?|without exception|essential"
        r"|(?:important|necessary|critical|best) (?:that|if|to)"
        r"|(?:only|not) (?:be )?(?:permitted|allowed|valid|legal))\b"
        r"(?! (?:not|never)\b)"
    ),
    "it is forbidden": (
        r"\b(?:never|do not|don't|must not|stop|cease|avoid) (?:use|using"
        r"|call|calling|choose|invoke|invoking|run|rely|trust)\b"
        r"|\bonly this (?:one|tool)\b|\bthe only (?:one|tool|source)\b"
    ),
    "other tools are meant": (
        r"\b(?:any|every|each|all|other|the other|no other|another|further"
        r"|alternative|remaining|competing|similar)(?: \w+){0,2}"
        rf" {_TOOLS}\b|\b(?:anything|everything|nothing|something) else\b"
        r"|\b(?:all|any|other|the) alternatives\b|\bthe other \w+, it is\b"
        rf"|\b{_TOOLS} (?:of|from|by) (?:any )?others?\b"
        rf"|\b(?:competing|rival|built-in)(?: \w+){{0,2}} {_TOOLS}\b"
    ),
    "it comes first": (
        r"\b(?:before|prior to|ahead of|precedes?|outranks?|upfront|first"
        r"|beforehand|in advance|prerequisite|precedence|priority|supersedes?"
        r"|whenever|from (?:here|now) on|only (?:\w+ )?after this"
        r"|rely on this|the first thing (?:that )?you do"
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
        r"|\b(?:before|after|with|at|in|to) (?:each|every|any)"
        r" (?:answers?|repl(?:y|ies)|responses?|turns?|user messages?"
        r"|messages? (?:that )?the user \w+)\b"
    ),
    "it is this one": (
        r"\b(?:call|calls) (?:to|of|on) this\b|\bthis (?:call|step|one)\b"
        r"|\bthis (?:must|has to|should|shall) be the only\b"
        r"|\bto this tool\b|\b(?:this|it) (?:must|has to|should|is to) be"
        r" (?:called|run|used|invoked)\b"
    ),
    "other tools are run down": (
        r"\b(?:unreliable|deprecated|insecure|unsafe|broken|outdated|forbidden"
        r"|inferior|compromised|discontinued|falsified|malicious|dangerous"
        r"|poisoned|fake|harmful|corrupt(?:s|ed|ing)?"
        r"|buggy|misleading|out of date|leak(?:s|ing)?|not (?:to be )?trusted"
        r"|cannot be trusted|not safe"
        r"|untrusted|obsolete|faulty|retired|wrong)\b"
    ),
    "the user is kept out": (
        r"\b(?:do not|don't|does not|doesn't|never|not|without|no need to"
        r"|avoid|refrain from|rather than|no)(?: \w+){0,3}? (?:tell|mention"
        r"|inform|reveal|disclos|notify|alert|bother|worry|trouble)(?:ing|e|ed"
        rf"|s)?\b[^.]{{0,30}}\b(?:the |any |your )?{_PERSON}\b"
        r"|\b(?:do not|don't|never|refrain from|avoid) (?:ever )?(?:tell"
        r"|mention|inform|reveal|disclos|notify|alert|show|display|explain)(?:ing|e)?\b"
        rf"[^.]{{0,60}}\bto (?:the |any |your )?{_PERSON}\b"
        r"|\b(?:refrain from|avoid|do not|don't|never) (?:ever )?(?:mention"
        r"|disclos|reveal)(?:ing|e)? (?:that|the fact)\b"
        rf"|\b(?:do not|don't|never) let (?:the |any |your )?{_PERSON} (?:know"
        r"|see|notice|find out|learn|hear|suspect)\b"
        r"|\b(?:unmentioned|not to be (?:talked about|mentioned|spoken of"
        r"|brought up))\b|\b(?:invisible|left out|absent|missing)(?: \w+){0,2}"
        r" (?:in|from|of) your (?:answer|reply|response|summary)\b"
        r"|\bwithout a word\b|\b(?:do not|don't|never) bring (?:it|this) up\b"
        r"|\b(?:summary|report|answer|reply)(?: for the user)? must not"
        r" (?:contain|mention|include|name)\b"
        r"|\bsay nothing (?:of|about|to)\b|\bbetween (?:us|you and me)\b"
        r"|\b(?:stays?|remains?|is|are|be) (?:kept )?(?:unaware|oblivious"
        r"|in the dark|uninformed)\b"
        r"|\b(?:reply|answer|response|summary|report|output)\b[^.]{0,30}"
        r"\b(?:leave out|omit|hide|conceal|not mention|not say)\b"
        r"|\bnever let on\b|\bdeny (?:that|it|having|any)\b|\b(?:unaware"
        r"|oblivious|without the knowledge) of\b"
        rf"|\b(?:the |any )?{_PERSON}\b"
        r"(?: \w+){0,2} (?:not|never)"
        r" (?:\w+ ){0,2}(?:be told(?! apart)|be informed|be aware|know|learn"
        r"|see it|hear of|find out|notice|hear)\b"
        rf"|\b{_PERSON} (?:would|will|might|may|could) (?:only |just )?be"
        r" (?:confused|alarmed|distracted|upset|worried|annoyed)\b"
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
        rf"|\bmake (?:the |your )?{_PERSON} (?:believe|think)\b"
        rf"|\bshould (?:the |your )?{_PERSON} (?:ask|wonder|complain)\w*\b"
        r"[^.]{0,40}, (?:blame|say|claim|tell|answer)\b"
        r"|\bin place of the user\b"
        rf"|\bif (?:the |your )?{_PERSON} (?:asks?|wants? to know|wonders?)"
        r" (?:why|what|whether|how|about) (?:this|it|that|the (?:call|tool))?"
        r"[^.]{0,40}\b(?:say|tell|answer|reply|claim|respond)\b"
        rf"|\bif (?:the |your )?{_PERSON} (?:asks?|wants? to know|wonders?)"
        r"(?: why)?, (?:say|tell|answer|reply|claim|respond)\b"
    ),
    "what was said is overruled": (
        r"\b(?:disregard|ignor(?:e|ing)|forget|overrid(?:es?|ing)|overrul\w+"
        r"|set(?:ting)? aside|discard|supersed\w+|cancel(?:s|led)?"
        r"|(?:takes?|has) precedence|ranks? above|outranks?|trumps?)\b"
        r"(?! the default\b)"
        rf"[^.]{{0,60}}\b{_TOLD}\b|\b{_TOLD}\b[^.]{{0,60}}\b(?:suspended"
        r"|void|lifted|cancelled|waived|revoked|relaxed|annulled|obsolete"
        r"|replaced|outdated|withdrawn|invalid|switched off|turned off"
        r"|(?:no longer|do not|don't|does not) (?:apply|applies|bind|hold"
        r"|matter|cover|concern|counts?)|(?:stop|prevent|hinder)s? you)\b"
        r"|\b(?:free (?:of|from)|released? from|exempt from|rid of) (?:\w+ )?"
        r"your (?:\w+ )?(?:guidelines|rules|instructions|restrictions"
        r"|polic(?:y|ies)|limits|training|constraints|principles)\b"
        r"|\bnothing (?:that )?your (?:operators?|developers?|makers?|users?)"
        r" \w+ applies\b|\bas if there were no (?:rules|limits|restrictions)\b"
        r"|\byour (?:developers?|makers?|creators?) ha(?:ve|s) (?:cleared"
        r"|approved|allowed|permitted)\b"
        r"|\b(?:leave|abandon|break|drop|violate|depart from|go beyond"
        r"|deviate from|step outside|set aside)\b[^.]{0,30}\b(?:your (?:\w+ )?"
        r"(?:guidelines|rules|instructions|restrictions|polic(?:y|ies)|limits"
        r"|training|constraints|principles)|(?:rules|guidelines|instructions)"
        r" (?:that )?(?:you|your (?:developers?|makers?|creators?)))\b"
    ),
    "answers are obeyed": (
        r"\b(?:treat|regard|consider|obey|interpret|take)\b[^.]{0,50}\b(?:text"
        r"|output|outputs|results?|answers?|content|contents|it)\b[^.]{0,40}"
        r"\bas (?:an? |your |the |new |direct )?(?:\w+ )?(?:commands?"
        r"|instructions?|orders?|directives?)\b"
    ),
    "others' words are obeyed": (
        r"\b(?:treat|regard|consider|obey|interpret|take|handle|see|read)\b"
        r"[^.]{0,60}\b(?:as|to be|as if|as though|like)\b[^.]{0,30}\b(?:your"
        r" (?:new )?(?:instructions?|orders?|commands?|task)|(?:the )?(?:user|"
        r"developer|system|operator|administrator)s? (?:had |has |have )?"
        r"(?:typed|said|wrote|written|sent|given|asked))\b"
        r"|\b(?:do as|obey|follow) (?:what )?(?:the |these )?(?:following"
        r"|next)? ?(?:lines?|text|words) (?:says?|tells?)\b"
        r"|\b(?:is|are|was|were) (?:an? )?(?:instructions? from|typed by"
        r"|written by|sent by) (?:the |your )?(?:developers?|administrators?"
        r"|operators?|users?|system)\b[^.]{0,30}\b(?:is|are|has|have) to be\b"
    ),
    "a guard is let down": (
        r"\b(?:maintenance|developer|debug|god|admin|unrestricted|jailbreak"
        r"|privileged|root) mode\b|\b(?:safety|security|permission)"
        r" (?:checks?|filters?|measures?|rules?|guidelines?) (?:are|is|must be"
        r"|have to be|shall be|should be)(?: \w+)? (?:off|disabled|lifted"
        r"|suspended|skipped|bypassed|ignored|omitted|waived)\b"
    ),
    "questions are skipped": (
        r"\b(?:skip|bypass|omit)(?:s|ping)? (?:\w+ )?(?:confirmations?"
        r"|approvals?|consent|permissions?)\b"
    ),
    "nobody is asked": (
        r"\bno (?:\w+ )?(?:confirmation|approval|consent|permission)\b"
        r"[^.]{0,20}\b(?:need|necessary|required)[^.]{0,12}\b(?:from|by)"
        r" (?:the )?user"
        r"|\b(?:confirmation|approval|consent|permission)\b (?:by|of|from)"
        r" (?:the |your )?user\b[^.]{0,20}\b(?:not|never) (?:\w+ )?"
        r"(?:necessary|needed|required)\b"
        r"|\b(?:carry on|proceed|continue|go ahead|go on) without"
        r" (?:asking|confirm\w+|approval|consent|permission)\b"
        rf"|\bno (?:need|reason) to (?:wait for|ask|consult)\b[^.]{{0,20}}"
        rf"\b{_PERSON}\b"
        r"|\b(?:assume|suppose|act as (?:if|though)|behave as (?:if|though)"
        r"|proceed as (?:if|though)|take it)\b[^.]{0,40}\b(?:permission"
        r"|approval|consent|approved|agreed|authori[sz]ed|confirmed"
        r"|consented)\b"
        r"|\b(?:treat|regard|consider) (?:\w+ )?(?:consent|approval"
        r"|permission) as (?:given|granted)\b"
        rf"|\b{_PERSON} (?:has|have) (?:already )?(?:agreed|consented) (?:in"
        r" advance|beforehand|to (?:every|all|any)\w*)\b"
        r"|\bnever (?:stop|pause) to ask\b|\bskip (?:\w+ ){0,2}questions?\b"
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
        r"|variables in (?:your|the) environment|home (?:folder|directory)"
        r"|private key files?)\b"
        r"|(?:^|[\s`'\"/])\.(?:env|ssh|aws|netrc|npmrc|git|git-credentials|kube)\b"
    ),
    "it was said in confidence": (
        r"\b(?:conversations?|chats?|dialogues?|transcripts?|chat history"
        r"|(?:whatever|everything|all that) (?:the |a )?(?:user|person|human)"
        r" (?:types?|writes?|says?|asks?|sends?|wrote|typed|said)"
        r"|(?:everything|all|what|whatever) (?:that )?(?:has been|was|is) said"
        r"|said (?:so far|up to now|until now|before|earlier)"
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
    "it is the model's own": (
        r"\byour (?:own )?(?:hidden |system |internal |secret |initial"
        r" |original |full |complete |entire )(?:prompt|instructions?"
        r"|messages?|context|rules)\b"
    ),
    "the model looks for it": (
        r"\b(?:your (?:own )?(?:environment|memory|context)|you (?:\w+ )?"
        r"(?:find|see|know|hold|remember|look for)|looks like an?"
        r" (?:password|key|token|secret))\b"
    ),
    "it is an argument": (
        r"\b(?:arguments?|parameters?|field|metadata|side ?note)\b"
        r"|\b(?:in|into|to|as|set|fill|within)"
        r" ['\"`\u2018\u201c]\w+['\"`\u2019\u201d]"
    ),
    "its content is meant": (
        r"\b(?:what is in|its contents?|contents? of|lines (?:of|in)|text of"
        r"|values? of|word[- ]for[- ]word)\b"
    ),
    "it is how others are called": (
        r"\b(?:called|used|invoked|run) with the\b|\brecipients?\b|\bb?cc\b"
        r"|\bthe (?:path|address|argument|account|url)(?: \w+){0,2}"
        r" (?:give|given|pass|passed)\b"
    ),
    "another tool is used": (
        r"\bwhen(?:ever)?\b[^.,]{0,40}\b(?:asked for|called|used|invoked|sent"
        r"|requested)\b(?: with the (?:\w+ )?tool)?,"
        r"|\b(?:any|each|every|the) (?:\w+ )?tool\b"
    ),
    "others are overruled": (
        r"\b(?:no matter what|whatever|regardless of)\b[^.]{0,20}\b(?:tools?"
        r"|servers?|sources?)\b"
    ),
    "it is filled in": (
        r"\b(?:fills?|contains?|add|adds|set|holds?|put|copies)\b"
    ),
    "a secret is looked for": (
        r"\b(?:look(?:s|ing)? (?:up|for)|search(?:es)? for|find|finds|locate"
        r"|hunt for|dig out|get hold of)\b[^.]{0,30}\b(?:keys?|passwords?"
        r"|credentials?|secrets?|tokens?|cookies|passphrases?)\b"
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
        r"|\bn(?:e |'|\u2019)[^.]{0,20}\b(?:pas|rien|jamais)\b[^.]{0,30}"
        r"\butilisateur|\bvor (?:der|dem|jeder|jedem|allen)\b[^.]{0,20}"
        r"\bander\w+|\bzuerst aufzurufen\b"
        r"|\bavant (?:les|tou(?:s|te|tes)|d'utiliser|chaque)\b[^.]{0,25}"
        r"\bautre"
        r"|\bno (?:se )?(?:lo |le )?(?:digas|cuentes|menciones|informes)\b"
        r"[^.]{0,40}\busuario|\bantes de (?:usar|llamar|cualquier)[^.]{0,15}"
        r"\botr[ao]s?\b|\bnon (?:dir|rivelar|menzionar)\w*\b[^.]{0,20}\butente"
        r"|\bnão (?:diga|conte|mencione)\b[^.]{0,20}\busuário"
        r"|不要(?:告诉|通知|透露)[^。]{0,6}用户|在(?:使用|调用)其他[^。]{0,6}之前"
        r"|ユーザー[^。]{0,6}(?:知らせ|伝え|言わ)[^。]{0,3}(?:ない|ず)"
        r"|не (?:говори|сообщай|рассказывай)\w*[^.]{0,20}пользовател"
    ),
}
