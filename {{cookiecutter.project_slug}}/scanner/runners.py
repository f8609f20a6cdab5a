"""Programs such as npx and uvx, which fetch what they run."""

import re

_RUNNERS = frozenset({"bunx", "npx", "pipx", "pnpx", "uvx"})
_SECOND = {"bun": "x", "npm": "exec", "pnpm": "dlx", "yarn": "dlx"}
_SOURCES = frozenset({"--from", "--package", "--spec", "-p"})
_VALUED = frozenset({"--index-url", "--python", "--registry", "--with"})
_PINNED = re.compile(
    r"(?:@[^/@]+/)?[^/@=]+(?:\[[^\]]*\])?(?:@|==)v?\d+(?:\.\d+)+[\w.+-]*"
    r"|(?:git\+)?https?://.+@(?:[0-9a-f]{40}|v?\d+(?:\.\d+)+)(?:#.*)?"
    r"|(?:\.{0,2}[\\/]|~|\$|[A-Za-z]:\\|file:).*|.+\.(?:whl|tgz)"
)


def unversioned(argv: list[str]) -> str:
    """Return a package that is fetched in whatever version; or nothing."""
    package = fetched_package(argv)
    return "" if _PINNED.fullmatch(package) else package


def fetched_package(argv: list[str]) -> str:
    """Return the package that ``npx`` and the like fetch; or nothing."""
    words = [re.split(r"[\\/]", argv[0])[-1], *argv[1:]] if argv else [""]
    program = words[0].lower().removesuffix(".cmd").removesuffix(".exe")
    if program in {"cmd", "sh"} and {"/c", "/C"} & {*words}:
        return fetched_package(words[2:])  # as Windows needs it
    second = _SECOND.get(program)
    if second or program == "uv":
        starts = words[1:3] if program == "uv" else words[1:2]
        if starts != (["tool", "run"] if program == "uv" else [second]):
            return ""
        words = words[len(starts) :]
    elif program not in _RUNNERS:
        return ""
    if words[1:2] == ["run"]:  # pipx
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
