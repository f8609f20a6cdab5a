"""Programs such as npx, uvx and pip, which fetch what they are told."""

import posixpath
import re
from itertools import pairwise

_RUNNERS = frozenset({"bunx", "npx", "pipx", "pnpx", "uvx"})
_SECOND = {"bun": "x", "npm": "exec", "pnpm": "dlx", "yarn": "dlx"}
_SOURCES = frozenset({"--from", "--package", "--spec", "-p"})
_VALUED = frozenset({"--index-url", "--python", "--registry", "--with"})
_PINNED = re.compile(
    r"(?:@[^/@]+/)?[^/@=]+(?:\[[^\]]*\])?(?:@|==)v?\d+(?:\.\d+)+[\w.+-]*"
    r"|(?:git\+)?https?://.+@(?:[0-9a-f]{40}|v?\d+(?:\.\d+)+)(?:#.*)?"
    r"|(?:\.{0,2}[\\/]|~|\$|[A-Za-z]:\\|file:).*|.+\.(?:whl|tgz)"
)

_FIXED = re.compile(r"[=~]=|<|==|[*/@:$]|^\.|\.(?:whl|zip|gz|tgz)$")
_ONE_OF_NPM_S = re.compile(
    r".+@v?\d+(?:\.\d+)+[\w.+-]*|[./$~].*|.*://.*|.*\.tgz"
)
_BOUND = frozenset({"--constraint", "--constraints", "--require-hashes", "-c"})
_LOCKED = frozenset({"--frozen", "--locked"})
_NEWEST = frozenset({"--upgrade", "-U"})
_PIP_S = re.compile(
    r"-[cdfiprt]|--(?:constraints?|extra-index-url|extra-index|find-links"
    r"|index|index-url|platform|prefix|python|python-version|requirements?"
    r"|root|target|trusted-host|with|cache-dir|editable|exclude-newer)|-e"
)


def unversioned(argv: list[str]) -> str:
    """Return a package that is fetched in whatever version; or nothing."""
    package = fetched_package(argv)
    return "" if _PINNED.fullmatch(package) else package


def unlocked(argv: list[str]) -> str:
    """Return what is installed in whatever version there is; or nothing.

    Such as a package of which pip is told the name alone, or ``uv sync``,
    which writes a new lock where it likes the old one no more. That pip is
    to renew itself is let be: what it installs then is for others to say.
    """
    words = [posixpath.basename(argv[0]), *argv[1:]] if argv else [""]
    if re.match(r"python[\d.]*$", words[0]) and words[1:2] == ["-m"]:
        words = words[2:]
    if words[:2] == ["uv", "pip"]:
        words = words[1:]
    plain = [word for word in words if not word.startswith("-")]
    told = {*words}
    if plain[:2] == ["uv", "sync"]:
        newest = " --upgrade" if told & _NEWEST else ""
        return f"uv sync{newest}" if newest or not told & _LOCKED else ""
    if plain[:2] in (["npm", "install"], ["npm", "i"]):
        loose = [x for x in plain[2:] if not _ONE_OF_NPM_S.fullmatch(x)]
        return loose[0] if loose else "" if plain[2:] else "npm install"
    if re.match(r"pip[\d.]*$", words[0]) is None or plain[1:2] != ["install"]:
        return ""
    named = [
        word
        for before, word in pairwise(words)
        if word in plain[2:] and not _PIP_S.fullmatch(before)
    ]
    renews = {"pip", "setuptools", "wheel"} if told & _NEWEST else set()
    loose = [x for x in named if not _FIXED.search(x) and x not in renews]
    return loose[0] if loose and not told & _BOUND else ""


def fetched_package(argv: list[str]) -> str:
    """Return the package that ``npx`` and the like fetch; or nothing."""
    words = [re.split(r"[\\/]", argv[0])[-1], *argv[1:]] if argv else [""]
    program = words[0].lower().removesuffix(".cmd").removesuffix(".exe")
    if program in {"cmd", "sh"} and {"/c", "/C"} & {*words}:
        return fetched_package(words[2:])  # as Windows needs it
    second = _SECOND.get(program)
    if second or program == "uv":
        starts = words[1:3] if program == "uv" else words[1:2]
        tools = (["tool", "install"], ["tool", "run"])
        if starts not in (tools if program == "uv" else ([second],)):
            return ""
        words = words[len(starts) :]
    elif program not in _RUNNERS:
        return ""
    if words[1:2] in (["install"], ["run"]) and program == "pipx":
        words = words[1:]
    rest = iter(words[1:])
    for word in rest:
        name, _, value = word.partition("=")
        if name in _SOURCES:
            return value or next(rest, "")
        if word in _VALUED:
            next(rest, "")
        elif not word.startswith("-"):
            return word
    return ""
