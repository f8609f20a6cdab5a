"""Files in which credentials are made up: those of the tests, and samples."""

import re

from . import tokens
from .source import Secret

_TREE = r"tests?|testing|testdata|test[_-]data|fixtures?|specs?|e2e|__tests__"
_FILE = r"test_[^/]*|[^/]*[_.-](?:test|spec)\.\w+|conftest\.py"
_OF_TESTS = re.compile(rf"(?:.*/)?(?:(?:{_TREE})/.*|{_FILE})")
_OF_SAMPLES = re.compile(r".*[._-](?:example|sample|template|dist|tmpl)")
_KNOWN_BY_STRUCTURE = re.compile(r"MCP-SEC-\d+")


def made_up(path: str, secret: Secret) -> bool:
    """Tell whether the value is one that a test or a manual made up.

    A test needs passwords, keys and tokens, and none of them opens anything.
    What has the form of an issuer's own token may, wherever it stands. In a
    file to be copied and filled in, a value typed in rows is a placeholder.
    """
    if secret.kind is tokens.SAMPLE and _OF_SAMPLES.fullmatch(path):
        return True
    known = _KNOWN_BY_STRUCTURE.fullmatch(secret.kind.id)
    return known is not None and _OF_TESTS.fullmatch(path) is not None
