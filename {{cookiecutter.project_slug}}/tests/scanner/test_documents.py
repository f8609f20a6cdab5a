import sys
import time

import pytest

from scanner.documents import MAX_DEPTH, MAX_NODES, Malformed, Room, load
from scanner.model import State
from scanner.tools import ToolError


def test_values_keep_their_kinds_and_lines():
    text = "a: 1\nb: yes\nc: 'yes'\nd:\n- x\n- ~\non: {e: 2024-01-01, 80: x}\n"
    (found,) = load(text)
    assert found["a"] == 1
    assert (found["b"], found["c"]) == (True, "yes")
    assert (found["d"], found["d"].lines) == (["x", None], [5, 6])
    assert found["on"] == {"e": "2024-01-01", "80": "x"}
    assert [found.at(key) for key in "abcd"] == [1, 2, 3, 4]


def test_every_document_is_returned():
    assert load("a: 1\n---\n- b\n---\n") == [{"a": 1}, ["b"], None]


def test_merged_keys_are_taken_in_and_do_not_win():
    (found,) = load(
        "x: &x {a: 1, b: 2}\ny: &y {b: 3}\nz:\n  <<: [*x, *y]\n  a: 0\n"
    )
    assert found["z"] == {"a": 0, "b": 2}
    assert found["z"].at("b") == 1


def bomb():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 9) + "]"
        for n in range(1, 12)
    ]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        bomb(),
        "a: &a {b: *a}",
        "a: *b",
        "[" * 200_000,
        "- " * (MAX_DEPTH + 10) + "x",
        "".join(" " * n + "a:\n" for n in range(MAX_DEPTH + 10)),
        "- x\n" * (MAX_NODES + 1),
        "a: [1, 2",
        "a: {" + "{ .Values.x }" + "}\n  b: c",
        "a: \x00",
        "a\n b: c\n  d",
    ],
    ids=[
        *("aliases", "itself", "no anchor", "brackets", "list", "map"),
        *("many", "open", "helm", "control", "nonsense"),
    ],
)
def test_what_is_no_yaml_or_a_bomb_is_refused_at_once(text):
    start = time.process_time()
    with pytest.raises(Malformed):
        load(text)
    assert time.process_time() - start < 2


def test_all_files_share_one_room():
    room = Room(nodes=10)
    assert load("[1, 2, 3, 4]", room)
    with pytest.raises(Malformed, match="too much YAML in all"):
        load("[1, 2, 3, 4, 5]", room)


def test_without_the_library_nothing_is_passed(monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(ToolError, match="PyYAML is not installed") as error:
        load("a: 1")
    assert error.value.state is State.NOT_RUN
