"""Telling a credential from a placeholder, a name and a word."""

import base64
import binascii
import math
import re
from collections import Counter
from itertools import pairwise

from . import formats

MAX_WORDINESS = 0.5  # of words it is 0.84, of random letters 0.21
LEAST_IN_DIGITS = 2.3  # bits for each byte; ten digits have 3.3
MIN_MIXING = 0.1  # of random letters and digits it is 0.27 and more
RARE = 0.3  # a wordiness that letters without digits seldom have
MAX_REPEATS = 0.3  # of random hex digits it is 0.06

_MARKED = re.compile(
    rb"example|placeholder|change[_-]?(?:me|it|this)|redacted|dummy|fake"
    rb"|sample|insert[_-]|replace[_-]?(?:me|with)|your[_-]|todo|lorem"
    rb"|foo[_-]?bar|deadbeef|not[_-]?a?[_-]?real|testtest|xxxx|\.\.\.|\*\*\*"
    rb"|(?!A)(.)\1{9}",
    re.IGNORECASE | re.DOTALL,
)
_VARIABLE = re.compile(
    rb"(?<![A-Za-z0-9])\$[A-Za-z_]|\$[{(]|[{<\[%].*[}>\]%]|&lt;|#\{"
    rb"|%[sdr](?!\w)|%\(|@\w+@",
    re.DOTALL,
)
_TYPED = re.compile(
    rb"012345678|123456789|876543210|987654321|abcdefgh", re.IGNORECASE
)
_WORDS = re.compile(
    rb"(?:[\W_]*(?:admin|an?|another|bla|blah|change|default|demo|empty|enter"
    rb"|example|false|foo|bar|hidden|invalid|key|mock|my|new|nil|none|not"
    rb"|null|old|pass|passphrase|passwd|password|private|prompt|pwd|random"
    rb"|required|root|secret|some|string|super|test|testing|text|the|this"
    rb"|token|true|undefined|unset|user|username|value|word|wrong|your"
    rb"|xyz))+[\W_]*\d?",
    re.IGNORECASE,
)
_CONSTANT = re.compile(rb"@?[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+@?")
_NAMED = re.compile(
    rb"(?i:^(?:sha-?\d{1,3}|md5)[=:_-])|(?:lic|vate|cret)_?[Kk]ey"
    rb"|^AAAA(?:[BC]3NzaC1|E2VjZHNh|G[nN]zay)"  # a public key of SSH
)
_HEX = re.compile(rb"[0-9a-f:-]+|[0-9A-F-]+|[0-9A-Fa-f-]{32,}")
_MIXED = re.compile(rb"(?=[A-Za-z]\d|\d[A-Za-z])")
_PAIRS = re.compile(rb"(?=([a-z]{2}|[A-Z]{2}|[A-Z][a-z]))")
# The pairs of letters that make up five sixths of the words in code.
_COMMON = frozenset(
    (
        b"ab ac ad ag ai al am an ap ar as at ay ba be ca ce ch ck cl co ct "
        b"cu da de di do ec ed el em en er es et ex fa fe fi fo ge gi ha he "
        b"hi ho ia ic id ie if ig il im in io ir is it iv ke la le li ll lo "
        b"ls lt ly ma me mi mo na nc nd ne ng ni no ns nt ob od of ol om on "
        b"op or os ot ou ow pa pe pl po pr ra re ri ro rr rs rt ry sc se sh "
        b"si so sp ss st su ta te th ti to tr ts tu ty ue ul um un up ur us "
        b"ut va ve vi wa wi"
    ).split()
)


def placeholder(value: bytes) -> bool:
    """Tell whether the value stands for one that is put in elsewhere."""
    return bool(
        _MARKED.search(value)
        or _VARIABLE.search(value)
        or any(known in value for known in formats.examples())
    )


def typed(value: bytes) -> bool:
    """Tell whether somebody went along the keyboard or the alphabet."""
    return _TYPED.search(value) is not None


def constant(value: bytes) -> bool:
    """Tell whether it is written like the name of a constant: ``DB_PASS``."""
    return _CONSTANT.fullmatch(value) is not None


def words(value: bytes) -> bool:
    """Tell whether it is nothing but the words of example passwords."""
    return _WORDS.fullmatch(value) is not None


def random(value: bytes, *, sure: bool = False) -> bool:
    """Tell whether the value looks drawn by chance, not written by a person.

    Its bytes must vary (Shannon's entropy), letters must stand beside
    digits, and pairs of letters that words are made of must be rare.

    Args:
        value: Without what surrounds it.
        sure: Something else speaks for it already; doubt less.
    """
    if not has_digit(value) or placeholder(value):
        return False
    if not sure and typed(value):
        return False
    if _NAMED.search(value) or repetitive(value):
        return False
    enough = 0.8 * math.log2(len(value))
    if _HEX.fullmatch(value):
        if value.replace(b"-", b"").isdigit():
            return sure and entropy(value) > LEAST_IN_DIGITS
        return entropy(value) > min(2.8, enough)
    if entropy(value) < min(3.4, enough):
        return False
    mixing = len(_MIXED.findall(value)) / len(value)
    pairs = wordiness(value)
    cases = value.lower() != value != value.upper()
    mixed = mixing > MIN_MIXING / (1 + sure) or (cases and pairs < RARE)
    return mixed and pairs < MAX_WORDINESS + 0.2 * sure


def repetitive(value: bytes) -> bool:
    """Tell whether a finger rested on a key: one byte follows itself."""
    if value.isdigit():
        return False
    same = sum(one == other for one, other in pairwise(value))
    return same > MAX_REPEATS * len(value)


def has_digit(value: bytes) -> bool:
    """Tell whether there is a digit in it."""
    return len(value.translate(None, b"0123456789")) != len(value)


def entropy(value: bytes) -> float:
    """Return Shannon's entropy, in bits for each byte."""
    size = len(value)
    counts = Counter(value).values()
    return -sum(n / size * math.log2(n / size) for n in counts)


def wordiness(value: bytes) -> float:
    """Return the share of letter pairs that are common in words: 0 to 1."""
    pairs = [pair.lower() for pair in _PAIRS.findall(value)]
    if not pairs:
        return 0.0
    return sum(pair in _COMMON for pair in pairs) / len(pairs)


def decoded(value: bytes) -> bytes:
    """Return what Base64 of either alphabet stands for; b"" for nothing."""
    text = value.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4))
    except binascii.Error:
        return b""
