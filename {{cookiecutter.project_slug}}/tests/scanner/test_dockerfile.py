import time

import pytest

from scanner.container.dockerfile import (
    MAX_EXPANDED,
    MAX_INSTRUCTIONS,
    MAX_STAGES,
    parse,
)


def read(text):
    return parse("Dockerfile", text.splitlines(keepends=True))


def told(text):
    return [(x.line, x.name, x.text) for x in read(text).instructions]


def test_names_are_told_in_any_case():
    file = read("from a as One\nfrom ONE\nuser x\n")
    assert [x.name for x in file.instructions] == ["FROM", "FROM", "USER"]
    assert file.stages[1].parent is file.stages[0]


def test_lines_that_continue_are_joined_past_comments_and_blank_lines():
    text = "FROM a\nRUN one \\\n  # a comment\n\n  two\\\nthree\nUSER x\n"
    assert told(text)[1:] == [(2, "RUN", "one   twothree"), (7, "USER", "x")]


def test_two_backslashes_continue_nothing():
    assert told("FROM a\nRUN a\\\\\nUSER x\n")[2] == (3, "USER", "x")


@pytest.mark.parametrize(
    ("head", "continues"),
    [
        ("# escape=`\n", True),
        ("#ESCAPE = `\n", True),
        ("# syntax=docker/dockerfile:1\n# escape=`\n", True),
        ("# a comment\n# escape=`\n", False),
        ("\n# escape=`\n", False),
        ("FROM x\n# escape=`\n", False),
    ],
)
def test_the_escape_directive_counts_only_at_the_head(head, continues):
    file = read(head + "FROM a\nRUN one `\nUSER x\n")
    assert (file.last("USER") is None) == continues


@pytest.mark.parametrize(
    ("start", "body", "rest"),
    [
        ("RUN <<EOF", "USER x\n", "EOF"),
        ("RUN <<-EOF", "USER x\n", "\tEOF"),
        ("COPY <<'EOF' /a", "USER x\n", "EOF"),
        ('ONBUILD RUN <<"E F"', "", ""),
        ("RUN cat <<A <<B", "USER x\nA\nUSER y\n", "B"),
    ],
)
def test_a_here_document_holds_no_instructions(start, body, rest):
    file = read(f"FROM a\n{start}\n{body}{rest}\nUSER last\n")
    assert [x.text for x in file.instructions if x.name == "USER"] == ["last"]
    assert file.problems == []


@pytest.mark.parametrize(
    "line",
    ['RUN ["a", "<<EOF"]', 'RUN echo "<<EOF"', "RUN a <<<EOF", "CMD <<EOF"],
)
def test_what_only_looks_like_a_here_document_is_none(line):
    assert read(f"FROM a\n{line}\nUSER x\n").last("USER")


@pytest.mark.parametrize(
    ("lines", "user"),
    [
        ("ARG A=x\nUSER $A", "x"),
        ("ARG A\nUSER $A", "x-global"),
        ("ARG B\nUSER $B", "$B"),
        ("USER $A", "$A"),
        ("ENV A=x\nARG A=y\nUSER ${A}", "x"),
        ("ENV A=x B=$A\nUSER $B", "$A"),
        ("ENV A=x\nENV A=y B=$A\nUSER $B", "x"),
        ("ENV A x y\nUSER $A", "x y"),
        ("ENV A='$B'\nUSER $A", "$B"),
        ("USER ${C:-x}", "x"),
        ("USER ${C:-${D:-x} }", "${D:-x} "),
        ("ENV C=\nUSER ${C:-x}", "x"),
        ("ENV C=\nUSER ${C-x}", ""),
        ("ENV C=y\nUSER ${C:+x}", "x"),
        ("USER ${C:+x}", ""),
        (r"USER \$A", r"\$A"),
    ],
)
def test_variables_are_expanded_as_docker_does(lines, user):
    last = read(f"ARG A=x-global\nFROM a\n{lines}\n").last("USER")
    assert last is not None
    assert last.text == user


def test_a_stage_inherits_what_its_parent_stage_sets():
    file = read("FROM a AS b\nENV U=x\nUSER $U\nFROM b\nENV V=$U\n")
    assert file.stages[1].lookup("V") == "x"
    assert [x.name for x in file.final] == [
        "FROM",
        "ENV",
        "USER",
        "FROM",
        "ENV",
    ]


def test_flags_and_the_exec_form_are_told_from_the_rest():
    copy = read('FROM a\nCOPY --from=b --chown=c:d ["e f", "/g"]\n')
    last = copy.instructions[-1]
    assert (last.flag("from"), last.flag("chown")) == ("b", "c:d")
    assert last.words == ["e f", "/g"]


def test_an_instruction_knows_the_line_of_each_of_its_parts():
    file = read("FROM a\nENV A=1 \\\n    B=2 \\\n    C=3\n")
    assert [file.instructions[1].line_of(x) for x in "AC"] == [2, 4]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no FROM"),
        ("ARG A=1\n", "no FROM"),
        ("RUN a\nFROM b\n", "line 1: RUN before FROM"),
        ("FROM a\nFOO b\n", "line 2"),
        ("FROM a\nONBUILD ONBUILD RUN b\n", "line 2"),
        ("FROM a\nRUN <<EOF\n", "line 2: <<EOF without its end"),
        ("\0\1\2\n", "line 1"),
    ],
)
def test_what_is_no_dockerfile_is_a_problem(text, problem):
    assert problem in read(text).problems[0]


MILLION = 1_000_000
HOSTILE = {
    "comments": lambda: ["# x\n"] * MILLION,
    "continued": lambda: ["RUN a \\\n", *["b \\\n"] * MILLION],
    "here-document": lambda: ["RUN <<E\n", *["x\n"] * MILLION],
    "runs": lambda: ["RUN a\n"] * MILLION,
    "stages": lambda: ["FROM a\n"] * MILLION,
    "onbuild": lambda: ["ONBUILD " * MILLION],
    "flags": lambda: ["RUN " + "--a " * MILLION],
    "one word": lambda: ["ENV a=1 " + "b" * MILLION],
    "quotes": lambda: ["ENV " + 'a="b =' * 200_000],
    "braces": lambda: ["USER " + "${a:-{" * 200_000],
    "escapes": lambda: ["RUN " + "\\ " * MILLION],
}


@pytest.mark.parametrize("lines", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_million_lines_are_read_in_linear_time(lines):
    given = ["FROM a\n", *lines()]
    start = time.process_time()
    parse("Dockerfile", given)
    assert time.process_time() - start < 10


def test_what_is_beyond_all_measure_is_a_problem():
    many = parse("Dockerfile", ["FROM a\n", *["RUN a\n"] * MAX_INSTRUCTIONS])
    assert "over" in many.problems[0]
    stages = parse("Dockerfile", ["FROM a\n"] * (MAX_STAGES + 2))
    assert "stages" in stages.problems[0]


def test_a_value_that_doubles_itself_stops_growing():
    file = read("FROM a\nENV A=0123456789\n" + "ENV A=$A$A\n" * 64)
    assert len(file.stages[0].lookup("A") or "") <= MAX_EXPANDED
