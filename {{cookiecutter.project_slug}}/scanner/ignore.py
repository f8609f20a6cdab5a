"""What .gitignore leaves out, for a project that is no checkout."""

import re
from dataclasses import dataclass

MOST_DEEP = 3


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line of a .gitignore, as a regular expression."""

    regex: re.Pattern[str]
    negated: bool
    folders_only: bool


def parse(text: str, folder: str) -> list[Pattern]:
    """Read the patterns of the .gitignore in this folder (``""``: root)."""
    lines = (line.rstrip() for line in text.splitlines())
    wanted = (line for line in lines if line and not line.startswith("#"))
    # Nobody writes more folders of any depth into one pattern than a few.
    return [_pattern(x, folder) for x in wanted if x.count("**") <= MOST_DEEP]


def ignored(path: str, patterns: list[Pattern], *, folder: bool) -> bool:
    """Tell whether the last pattern that matches leaves the path out."""
    for pattern in reversed(patterns):
        if pattern.folders_only and not folder:
            continue
        if pattern.regex.fullmatch(path):
            return not pattern.negated
    return False


def _pattern(line: str, folder: str) -> Pattern:
    negated = line.startswith("!")
    body = line.removeprefix("!").removeprefix("\\")
    anchored = "/" in body.rstrip("/")
    base = re.escape(f"{folder}/") if folder else ""
    anywhere = "" if anchored else r"(?:.*/)?"
    glob = _translate(body.strip("/"))
    return Pattern(
        re.compile(base + anywhere + glob, re.DOTALL),
        negated,
        body.endswith("/"),
    )


_TOKEN = re.compile(
    r"(?P<deep>(?:^|/)\*\*(?:/|$))|(?P<star>\*+)|(?P<one>\?)"
    r"|\[(?P<not>[!^])?(?P<set>\]?[^\]\[/]*)\]|\\(?P<quoted>.)|(?P<char>.)",
    re.DOTALL,
)


def _translate(glob: str) -> str:
    """Turn a glob into a regular expression that takes linear time.

    Within a name, what stands between two stars is taken where it comes
    first, for good: no other place could do better.
    """
    regex, fixed, starred = "", "", False
    for token in _TOKEN.finditer(glob):
        if token["star"]:
            regex += f"(?>[^/]*?{fixed})" if starred else fixed
            fixed, starred = "", True
        elif token["deep"] or token["char"] == "/":
            regex += "[^/]*" * starred + fixed + _piece(token)
            fixed, starred = "", False
        else:
            fixed += _piece(token)
    return regex + "[^/]*" * starred + fixed


def _piece(token: re.Match[str]) -> str:
    """Turn one piece of a glob into what it stands for."""
    if token["deep"]:
        start = "/" if token["deep"].startswith("/") else ""
        end = r"(?:.*/)?" if token["deep"].endswith("/") else r".+"
        return start + end
    if token["one"]:
        return "[^/]"
    if token["set"] is not None:
        return _set(token)
    return re.escape(token["quoted"] or token["char"])


def _set(token: re.Match[str]) -> str:
    """Turn ``[a-z]`` into a set; what is none stands for itself."""
    content = re.sub(r"([\\\]&~|^])", r"\\\1", token["set"])
    regex = f"[{'^' if token['not'] else ''}{content}]"
    try:
        re.compile(regex)
    except re.error:
        return re.escape(token[0])
    return regex
