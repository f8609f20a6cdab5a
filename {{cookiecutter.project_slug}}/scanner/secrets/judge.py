"""Telling a credential from a placeholder, a name and a word."""

import base64
import binascii
import functools
import math
import re
from collections import Counter

from . import formats
from .keyboard import HALF, KEPT, MOST, typed

MAX_WORDINESS = 0.5  # of words it is 0.84, of random letters 0.21
LEAST_IN_DIGITS = 2.3  # bits for each byte; ten digits have 3.3
MIN_MIXING = 0.1  # of random letters and digits it is 0.27 and more
PRIOR = 0.21  # what is thought before a pair was seen
SEEN_BEFORE = 2  # so many pairs weigh as much as that
SHARE = 5  # a word that is a fifth of the value tells what it is
RARE = 0.3  # a wordiness that letters without digits seldom have
LONG_LETTERS = 20  # bytes; fewer letters without a digit are a name
LEAST_DRAWN = 16  # bytes; a shorter part of a token is no secret by itself
MIN_CHANGES = 0.33  # of case, for each letter; of drawn letters it is 0.5

_MARKED = re.compile(
    rb"example|placeholder|change[_-]?(?:me|it|this)|redacted"
    rb"|insert[_-]|replace[_-]?(?:me|with)|your[_-]"
    rb"|foo[_-]?bar|deadbeef|(\d{4})-\1-\1|not[_-]?a?[_-]?real|testtest|xxxx|\.\.\.|\*\*\*",
    re.DOTALL,
)  # in lower case
_RESTED = re.compile(rb"(?!A)(.)\1{9,}", re.DOTALL)
_SHORT = re.compile(rb"dummy|fake|sample|todo|lorem")  # in lower case
_DOTS = re.compile(rb"(?:\xe2[\x80\x97\x96][\xa2\x8f\x88]){3}")  # hide it
_SIGNS = re.compile(rb"[$%{<\[&#@(]")  # of what stands for a variable
_VARIABLE = re.compile(
    rb"^\$\$?\w+$|(?:^|(?<=[\s:/=.,\"'_-]))\$(?:[A-Za-z]+_\w+|[A-Za-z_]{3,})(?!\w)"
    rb"|\$\([^()]{2,}\)|[$#]\{(?:[^{}]+\}|@?[A-Za-z_]+[\[(.])"
    rb"|\{\{(?:[^{}]*\}\}|[-\s.]|\w+[.|(\s])|\{%[-+ ]|<%[-=# ]"
    rb"|^(?:\{.*\}|\[.*\]|%\w+%)$"
    rb"|\{[A-Za-z_ .:'/-]{2,}\d?\}|<[\w .:'/|-]{2,}>|\[[A-Za-z_ .-]{4,}\]"
    rb"|%[A-Za-z_]{4,}%|@[A-Za-z_.]{3,}@|\[[^\]\n]{0,20}(?:a-z|A-Z|0-9)"
    rb"|&lt;|\bENC[\[(]|%\(\w+\)|(?:^|[\s:/=.,\"'_@-]|[A-Za-z]{3})%[sdr](?!\w)"
)
_WORDS = re.compile(
    rb"(?:[\W_]*(?:access|admin|an?|another|argon2\w*|aws|bcrypt|bla|blah|change"
    rb"|clear|default"
    rb"|demo|empty|encrypted|enter|example|false|foo|bar|hidden|i|invalid|key"
    rb"|md5|mock|my|new|nil|none|not|null|old|open|pass|passphrase|passwd|password"
    rb"|pbkdf2|plain|private|prompt|pwd|quoted|random|required|root|secret|secure"
    rb"|scrypt|sensitive|sesame|sha\d*|some|string|super|test|testing|text|the|this|token"
    rb"|true|undefined|unencrypted|unset|uri|url|user|username|value|word"
    rb"|wrong|your|xyz))+[\W_]*\d?[\W_]*",
    re.IGNORECASE,
)
_CONSTANT = re.compile(rb"@?[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+@?")
_RANGE = re.compile(rb"[aA]-[zZ](?![a-z])|(?<![0-9A-Fa-f])0-9")  # of a class
_NAMED = re.compile(
    rb"(?i:^(?:sha-?\d{1,3}|md5|ghsa|cve|pk_(?:live|test))[=:_-])|HMAC|OAuth\d|PKCS\d|SHA-?(?:1|256|384|512)$"
    rb"|(?:lic|vate|cret)_?[Kk]ey"
    rb"|^AAAA(?:[BC]3NzaC1|E2VjZHNh|G[nN]zay)"  # a public key of SSH
    rb"|^MFkwEwYHKoZIzj0|^MIIB(?:Ij|oj)ANBgkqhkiG9w0|^MCowBQYDK2VwAyEA"  # SPKI
)
_TEXT = re.compile(rb"[\t\r\x21-\x7e]+[ \n][\t\n\r\x20-\x7e]{4,}")
_DIGEST = re.compile(rb"(?=\d*[a-f])[0-9a-f]{32,}")  # of a commit or a file
_CRYPTED = re.compile(rb"\$[0-9a-z-]{1,12}\$|(?:pbkdf2|argon2|scrypt)[\w:]*\$")
_HEX = re.compile(rb"[0-9a-f:-]+|[0-9A-F-]+|[0-9A-Fa-f-]{32,}")
_MIXED = re.compile(rb"(?=[A-Za-z]\d|\d[A-Za-z])")
_CASE_CHANGES = re.compile(rb"(?=[a-z][A-Z]|[A-Z][a-z])")
_PAIRS = re.compile(rb"(?=([a-z]{2}|[A-Z]{2}|[A-Z][a-z]))")
# The pairs of letters that make up five sixths of the words in code.
_COMMON = frozenset(
    way(pair)
    for way in (bytes.lower, bytes.upper, bytes.title)
    for pair in (
        b"ab ac ad ag ai al am an ap ar as at ay ba be ca ce ch ck cl co ct "
        b"cu da de di do ec ed el em en er es et ex fa fe fi fo ge gi ha he "
        b"hi ho ia ic id ie if ig il im in io ir is it iv ke la le li ll lo "
        b"ls lt ly ma me mi mo na nc nd ne ng ni no ns nt ob od of ol om on "
        b"op or os ot ou ow pa pe pl po pr ra re ri ro rr rs rt ry sc se sh "
        b"si so sp ss st su ta te th ti to tr ts tu ty ue ul um un up ur us "
        b"ut va ve vi wa wi"
    ).split()
)


@functools.lru_cache(KEPT)
def placeholder(value: bytes) -> bool:
    """Tell whether the value stands for one that is put in elsewhere."""
    lower = value.lower()
    return bool(
        _MARKED.search(lower)
        or (not value.isascii() and _DOTS.search(value))
        or _rested(value)
        or (_SIGNS.search(value) and _VARIABLE.search(value))
        or any(_stands_out(value, word) for word in _SHORT.finditer(lower))
        or formats.examples().search(value)
        or formats.published(value)
    )


def _rested(value: bytes) -> bool:
    """Tell whether a finger rested on a key, and nothing drawn comes last.

    The numbers in a token may be round; what follows them is the secret.
    """
    if not _RESTED.search(value):
        return False
    last = value.rpartition(b"-")[2]
    return len(last) < LEAST_DRAWN or _RESTED.search(last) is not None


def _stands_out(value: bytes, word: re.Match[bytes]) -> bool:
    """Tell a word from four letters of a long token that spell it by chance.

    It stands by itself, or makes up much of the value.
    """
    much = SHARE * len(word[0]) >= len(value)
    before, after = value[: word.start()][-1:], value[word.end() :][:1]
    return much or not (before.isalpha() or after.islower())


def password(value: bytes, user: bytes) -> bool:
    """Tell a password from what manuals write in its place."""
    return not (
        placeholder(value)
        or words(value)
        or constant(value)
        or len(value) < 4
        or value.lower() == user.lower()
        or value.isdigit()
        or (value.isalpha() and len(value) < 6)
    )


def constant(value: bytes) -> bool:
    """Tell whether it is written like the name of a constant: ``DB_PASS``."""
    return _CONSTANT.fullmatch(value) is not None


def words(value: bytes) -> bool:
    """Tell whether it is nothing but the words of example passwords."""
    return _WORDS.fullmatch(value) is not None


@functools.lru_cache(KEPT)
def random(value: bytes, *, sure: bool = False) -> bool:
    """Tell whether the value looks drawn by chance, not written by a person.

    Its bytes must vary (Shannon's entropy), letters must stand beside
    digits, and pairs of letters that words are made of must be rare.

    Args:
        value: Without what surrounds it.
        sure: Something else speaks for it already; doubt less.
    """
    return _varied(value, sure=sure) and not (
        placeholder(value)
        or _NAMED.search(value)
        or _RANGE.search(value)
        or typed(value, MOST if sure else HALF)
    )


def _varied(value: bytes, *, sure: bool) -> bool:
    """Tell whether its bytes are mixed up as chance does it."""
    if not has_digit(value):
        return shuffled(value, LONG_LETTERS)
    enough = 0.8 * math.log2(len(value))
    if _HEX.fullmatch(value):
        if value.replace(b"-", b"").isdigit():
            return sure and entropy(value) > LEAST_IN_DIGITS
        return entropy(value) > min(2.8, enough)
    mixed = len(_MIXED.findall(value)) > MIN_MIXING / (1 + sure) * len(value)
    if not mixed and value in {value.upper(), value.lower()}:
        return False
    pairs = wordiness(value)
    rare = pairs < (MAX_WORDINESS + 0.2 * sure if mixed else RARE)
    return rare and entropy(value) >= min(3.4 - 0.2 * sure, enough)


def shuffled(value: bytes, least: int) -> bool:
    """Tell whether letters alone are too mixed up to be words.

    A drawn letter has the case of the one before it half of the time.

    Args:
        value: Letters of both cases.
        least: How many there have to be.
    """
    if len(value) < least or value.lower() == value:
        return False
    changes = len(_CASE_CHANGES.findall(value))
    return changes > MIN_CHANGES * len(value) and wordiness(value) < RARE


def digest(value: bytes) -> bool:
    """Tell whether it has the form of a hash of a file or a commit."""
    return _DIGEST.fullmatch(value) is not None


def text(value: bytes) -> bool:
    """Tell whether Base64 stands for text: of a drawn key it hardly does.

    The text may hold a key itself, as JSON (RFC 7517).
    """
    plain = decoded(value)
    read = _TEXT.fullmatch(plain) or (plain.isascii() and words(plain))
    return bool(read) and b'"kty"' not in plain


def hashed(value: bytes) -> bool:
    """Tell whether it is the hash of a password: ``$2b$12$…``."""
    return _CRYPTED.match(value) is not None


def has_digit(value: bytes) -> bool:
    """Tell whether there is a digit in it."""
    return len(value.translate(None, b"0123456789")) != len(value)


@functools.lru_cache(KEPT)
def entropy(value: bytes) -> float:
    """Return Shannon's entropy, in bits for each byte."""
    size = len(value)
    counts = Counter(value).values()
    return -sum(n / size * math.log2(n / size) for n in counts)


@functools.lru_cache(KEPT)
def wordiness(value: bytes) -> float:
    """Return the share of letter pairs that are common in words: 0 to 1.

    Of few pairs the share is chance: they weigh little against what is to be
    expected of random letters.
    """
    pairs = _PAIRS.findall(value)
    common = sum(map(_COMMON.__contains__, pairs))
    return (common + PRIOR * SEEN_BEFORE) / (len(pairs) + SEEN_BEFORE)


def decoded(value: bytes) -> bytes:
    """Return what Base64 of either alphabet stands for; b"" for nothing."""
    text = value.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4))
    except binascii.Error:
        return b""
