"""Files in which credentials are made up: those of the tests."""

import re

from .source import Secret

_TREE = r"tests?|testing|testdata|test[_-]data|fixtures?|specs?|e2e|__tests__"
_FILE = r"test_[^/]*|[^/]*[_.-](?:test|spec)\.\w+|conftest\.py"
_OF_TESTS = re.compile(rf"(?:.*/)?(?:(?:{_TREE})/.*|{_FILE})")
_KNOWN_BY_STRUCTURE = re.compile(r"MCP-SEC-\d+")


def made_up(path: str, secret: Secret) -> bool:
    """Tell whether the value is one that a test made up.

    A test needs passwords, keys and tokens, and none of them opens anything.
    What has the form of an issuer's own token may, wherever it stands.
    """
    known = _KNOWN_BY_STRUCTURE.fullmatch(secret.kind.id)
    return known is not None and _OF_TESTS.fullmatch(path) is not None
