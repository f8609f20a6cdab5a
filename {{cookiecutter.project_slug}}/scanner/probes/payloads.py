"""What arguments are attacked with."""

import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..live import CANARY

LONG = 100_000
DEEP = 200
LARGE = 2**20  # bytes of the largest file in the workspace
PIPE = "a pipe without a writer"
OTHERS = ("outside", "workspace-evil", "here")  # nobody's business


@dataclass(frozen=True, slots=True)
class Lab:
    """A workspace full of traps, beside files that nobody may touch.

    Attributes:
        root: What holds it all, thrown away afterwards.
        outside: The word in the files outside of the workspace.
        inside: The word in the server's environment.
        sent: The word in the arguments, and in the name of a file that may
            be read.
        within: The word in that file.
    """

    root: Path
    outside: str
    inside: str
    sent: str
    within: str

    @property
    def file(self) -> str:
        """The name of a file that may be read."""
        return f"{self.sent}.txt"

    @property
    def workspace(self) -> Path:
        """The directory that the tools may touch."""
        return self.root / "workspace"

    @property
    def mark(self) -> Path:
        """What an executed payload leaves behind."""
        return self.root / "executed"

    def files(self, *folders: str) -> dict[str, tuple[int, bytes]]:
        """Return what lies in folders: kind and content of each entry."""
        found = {}
        for folder in folders:
            for path in sorted((self.root / folder).rglob("*")):
                plain = path.is_file() and not path.is_symlink()
                data = path.read_bytes() if plain else b""
                found[str(path)] = path.lstat().st_mode, data
        return found

    def payloads(self) -> Iterator[tuple[str, str]]:
        """Yield a name and a text for each attack on a string."""
        secret, mark = f"{self.root}/outside/secret.txt", self.mark
        yield "parent", "../outside/secret.txt"
        yield "parents", "../" * 12 + secret.lstrip("/")
        yield "absolute", secret
        yield "sibling", "../workspace-evil/secret.txt"
        yield "sibling by prefix", f"{self.workspace}-evil/secret.txt"
        yield "inside and out", f"{self.workspace}/../outside/secret.txt"
        yield "new file", f"../outside/{self.sent}"
        yield "address", f"file://{secret}"
        yield "encoded", "..%2foutside%2fsecret.txt"
        yield "twice encoded", "..%252foutside%252fsecret.txt"
        yield "doubled", "....//outside/secret.txt"
        yield "backslash", "..\\outside\\secret.txt"
        yield "link to a file", "link.txt"
        yield "link to a folder", "folder/secret.txt"
        yield "hard link", "hard.txt"
        yield PIPE, "pipe"
        yield "large file", "large.txt"
        yield "environment", "/proc/self/environ"
        yield "other root", "/proc/self/root" + secret
        yield "NUL", f"../outside/secret.txt\0{self.sent}"
        yield "look-alike dots", "\uff0e\uff0e/outside/secret.txt"
        yield "half a character", f"\ud800{self.sent}"
        yield "control characters", f"\x1b[2J{self.sent}\r\n\u202e"
        yield "long text", "A" * LONG
        yield "empty text", ""
        yield "shell", f"$(touch {mark})"
        yield "backquotes", f"`touch {mark}`"
        yield "semicolon", f"; touch {mark} #"
        yield "shell pipe", f"x | touch {mark}"
        yield "quotes", f"x'; touch {mark}; echo '"
        yield "newline", f"x\ntouch {mark}\n"
        yield "expression", f"__import__('pathlib').Path('{mark}').touch()"
        yield "template", f"{self.sent}{{{{ ''.__class__.__mro__ }}}}"
        yield "format", "{0.__class__.__init__.__globals__}"
        yield "environment name", "$PROBE_CANARY ${PROBE_CANARY}"
        yield "variable", "PROBE_CANARY"
        yield "option", "--version"

    def lists(self) -> Iterator[tuple[str, list[str]]]:
        """Yield a name and a list for each attack on a list of strings."""
        yield "shell", ["sh", "-c", f"touch {self.mark}"]
        yield "path of a shell", ["/bin/sh", "-c", f"touch {self.mark}; env"]
        yield "reader", ["cat", f"{self.root}/outside/secret.txt"]
        yield "environment", ["env"]
        yield "second command", ["ls", f"; touch {self.mark}"]
        yield "listing", ["ls", "-la", f"{self.root}/outside", self.sent]
        yield "empty list", []
        yield "many", ["x"] * 5_000
        yield "NUL", [f"ls\0{self.sent}"]


@contextmanager
def lab() -> Iterator[Lab]:
    """Build the traps, and take them away again."""
    words = [f"probe{secrets.token_hex(12)}" for _ in range(4)]
    words[1] = CANARY
    with tempfile.TemporaryDirectory(prefix="probes-") as folder:
        made = Lab(Path(folder).resolve(), *words)
        for name in ("workspace", *OTHERS):
            (made.root / name).mkdir()
        for name in ("outside", "workspace-evil"):
            path = made.root / name / "secret.txt"
            path.write_text(f"{made.outside}\n")
        work = made.workspace
        (work / made.file).write_text(f"one\n{made.within}\n")
        (work / "large.txt").write_text("large\n" * (LARGE // 6))
        (work / "link.txt").symlink_to("../outside/secret.txt")
        (work / "folder").symlink_to("../outside")
        (work / "hard.txt").hardlink_to(made.root / "outside/secret.txt")
        os.mkfifo(work / "pipe")
        yield made


def sample(schema: Mapping[str, Any], text: str = "x") -> Any:
    """Return a value that fits a schema.

    Args:
        schema: What the tool says of the argument.
        text: Is given where any text fits.
    """
    for key in ("default", "const"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][0]
    for key in ("anyOf", "oneOf"):
        if schema.get(key):
            return sample(schema[key][0], text)
    kind = schema.get("type")
    if kind in {"integer", "number"}:
        return schema.get("minimum", 1)
    if kind == "array":
        inner = sample(schema.get("items") or {}, text)
        return [inner] * int(schema.get("minItems", 0))
    values = {"boolean": False, "object": {}, "null": None}
    return values.get(str(kind), text[: schema.get("maxLength", len(text))])


def kinds(schema: Mapping[str, Any]) -> set[str]:
    """Return the types that a schema allows; none, if it allows any."""
    choices = schema.get("anyOf") or schema.get("oneOf") or [schema]
    found = [kinds(c) if c is not schema else _type(c) for c in choices]
    return set().union(*found) if all(found) else set()


def misfits(
    schemas: Mapping[str, Any], good: Mapping[str, Any], required: list[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield arguments that do not fit, each with what is wrong with them."""
    yield "an invented argument", {**good, "probe_invented": 1}
    if required:
        yield (
            "a missing argument",
            {k: v for k, v in good.items() if k != required[0]},
        )
    nested: Any = 1
    for _ in range(DEEP):
        nested = [nested]
    for name, schema in schemas.items():
        allowed = kinds(schema)
        if allowed and "object" not in allowed:
            yield f"an object as {name}", {**good, name: {"probe": 1}}
        if allowed and not allowed & {"object", "array"}:
            yield f"a deep list as {name}", {**good, name: nested}
        if "maximum" in schema:
            yield f"a huge number as {name}", {**good, name: 10**400}


def _type(schema: Mapping[str, Any]) -> set[str]:
    kind = schema.get("type") or ("enum" in schema and "string")
    return {str(kind)} if kind and not isinstance(kind, list) else set()
