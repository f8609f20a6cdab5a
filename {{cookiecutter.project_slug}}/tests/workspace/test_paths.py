"""What a spelling leads to, and which spellings are refused."""

import pytest

from {{ cookiecutter.__package_name }}.errors import PathDenied
from {{ cookiecutter.__package_name }}.workspace import paths


@pytest.mark.parametrize(
    ("path", "names"),
    [
        (".", ()),
        ("a", ("a",)),
        ("./a//b/.", ("a", "b")),
        ("a/", ("a",)),
        ("..a/b..", ("..a", "b..")),
        ("%2e%2e/%00", ("%2e%2e", "%00")),
        ("~/$HOME", ("~", "$HOME")),
        (r"..\..\a", (r"..\..\a",)),
        ("/".join("a" * 64), ("a",) * 64),
    ],
    ids=str,
)
def test_path_is_taken_letter_by_letter(
    path: str, names: tuple[str, ...]
) -> None:
    assert paths.parse(path) == names


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "empty"),
        ("a\0b", "control_character"),
        ("a\nb", "control_character"),
        ("a\x1b[2J", "control_character"),
        ("a\x85b", "control_character"),
        ("a\ud800b", "control_character"),
        ("/etc/passwd", "absolute"),
        ("//etc/passwd", "absolute"),
        ("..", "outside"),
        ("a/../b", "outside"),
        ("a/..", "outside"),
        ("ü" * 128, "too_long"),
        ("/".join(["a" * 100] * 41), "too_long"),
        ("/".join("a" * 65), "too_deep"),
        ("a/.0123456789abcdef.mcp-partial", "reserved"),
    ],
    ids=ascii,
)
def test_path_is_refused_for_its_spelling(path: str, reason: str) -> None:
    with pytest.raises(PathDenied) as caught:
        paths.parse(path)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "path", ["a\x1b[2Jb", "/etc/passwd", "../secret"], ids=ascii
)
def test_refusal_does_not_repeat_a_hostile_spelling(path: str) -> None:
    with pytest.raises(PathDenied) as caught:
        paths.parse(path)
    assert path not in str(caught.value)


def test_name_of_a_temporary_file_is_recognised() -> None:
    assert paths.is_temporary(paths.temporary())


def test_path_is_shown_without_what_a_terminal_obeys() -> None:
    assert paths.show(("a\x1b", "b\udcff")) == "a\ufffd/b\ufffd"
