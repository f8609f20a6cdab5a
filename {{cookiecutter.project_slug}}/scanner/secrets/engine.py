"""Finding every credential in a text, each once, without its value."""

from . import headings, passwords, services, structures, tokens
from .source import Budget, Secret, Source

MOST = 200  # of one text; who has so many has enough to do
FINDERS = (
    *(each.find for each in structures.STRUCTURES),
    tokens.by_form,
    tokens.by_name,
    services.keys,
    passwords.passwords,
    headings.columns,
    headings.files,
)


def find(
    data: bytes, path: str = "", budget: Budget | None = None
) -> list[Secret]:
    """Return the credentials in the text, in their order.

    Where two finders see one value, the more exact one has it; of two forms
    the longer. A token in an address or a header is worth what the token is.
    """
    source = Source(data, path, budget)
    found: list[Secret] = []
    for finder in FINDERS:
        for secret in sorted(finder(source), key=_longest_first):
            if len(found) >= MOST:
                source.budget.overdrawn = True
                break
            rivals = [other for other in found if _overlap(secret, other)]
            if all(_weighs_more(secret, other) for other in rivals):
                found = [each for each in found if each not in rivals]
                found.append(secret)
    return sorted(found, key=lambda secret: secret.start)


def _weighs_more(secret: Secret, other: Secret) -> bool:
    return secret.kind.severity.rank < other.kind.severity.rank


def _longest_first(secret: Secret) -> int:
    return -len(secret.value)


def _overlap(one: Secret, other: Secret) -> bool:
    return one.start < other.end and other.start < one.end
