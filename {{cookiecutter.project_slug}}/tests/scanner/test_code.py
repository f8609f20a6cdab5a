import json
import os
import shutil

import pytest
import yaml

from scanner.checks import code, semgrep, suppressions
from scanner.model import Options, Severity, State
from scanner.project import Project
from scanner.rules import RULES, rules_for
from tests.scanner.code_cases import CASES, HEAD, PLANTED
from tests.scanner.faulty_tools import FAILURES
from tests.scanner.small import SECRET, SMALL

VERSION = "1.9.4"


UNPARSED = {
    "small_server/syntax.py": b"def (",
    "small_server/no_text.py": b"x = '\xff'\n",
    "small_server/nul.py": b"x\0",
    "small_server/deep.py": b"(" * 5000,
    "small_server/stack.py": b"x = " + b"-" * 20_000 + b"1",
    "small_server/large.py": b"x" * (2**20 + 1),
    "small_server/dense.py": b"x;" * 60_000,
    "small_server/coding.py": b"# coding: nonsense\n",
}
MEDIUM = {"010", "011", "016", "019", "021", "025", "026"}
MEDIUM |= {"029", "033", "039", "042", "044", "046", "047"}
LOW = {"001", "002", "023", "043"}
CRITICAL = {"006", "012", "013", "015"}


@pytest.fixture(scope="module")
def by_file(tmp_path_factory):
    """The findings in each planted file; all are checked in one run."""
    root = tmp_path_factory.mktemp("planted")
    files = {**SMALL}
    for rule, texts in PLANTED.items():
        for kind, text in zip(("fault", "right"), texts, strict=True):
            files[f"small_server/{kind}_{rule}.py"] = text
            files[f"scanner/{kind}_{rule}.py"] = text
            files[f"tests/{kind}_{rule}.py"] = text
    for name, (text, _) in CASES.items():
        files[f"small_server/{name}.py"] = text
    for folder in ("scanner", "tests"):
        files[f"{folder}/test_x.py"] = (
            f"assert 1\npassword = '{SECRET}'\ndef f(x):\n    return eval(x)\n"
        )
    files[".bandit"] = "[bandit]\nskips = B307\nexclude = small_server\n"
    for name, text in files.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text, "utf-8")
    result = code.check(Project(root), Options())
    assert result.complete, result.reason
    found = {}
    for finding in result.findings:
        found.setdefault(finding.path, []).append(finding)
    return found


@pytest.mark.parametrize("rule", PLANTED)
def test_a_planted_fault_is_the_one_finding(by_file, rule):
    (found,) = by_file[f"small_server/fault_{rule}.py"]
    assert found.id == f"MCP-CODE-{rule}"
    severity = "low" if rule in LOW else "high"
    severity = "medium" if rule in MEDIUM else severity
    severity = "critical" if rule in CRITICAL else severity
    assert found.severity == severity


@pytest.mark.parametrize("rule", PLANTED)
def test_what_is_like_it_and_right_is_no_finding(by_file, rule):
    assert f"small_server/right_{rule}.py" not in by_file


def test_every_rule_of_our_own_is_planted():
    rules = [*rules_for("MCP-CODE-"), *rules_for("MCP-CODE-", on="tool")]
    own = {rule.id.removeprefix("MCP-CODE-") for rule in rules}
    assert own <= set(PLANTED)


@pytest.mark.parametrize("name", CASES)
def test_a_case_is_judged_as_a_person_would(by_file, name):
    found = by_file.get(f"small_server/{name}.py", [])
    told = [f"{f.id.removeprefix('MCP-CODE-')} {f.severity}" for f in found]
    assert told == CASES[name][1]


def test_no_value_of_a_password_is_told_or_hashed(by_file):
    (one,) = by_file["small_server/fault_B105.py"]
    (two,) = by_file["small_server/other_password.py"]
    assert SECRET not in repr(one)
    assert one.anchor == two.anchor


def test_a_finding_keeps_its_anchor_when_lines_move(by_file):
    (one,) = by_file["small_server/fault_B307.py"]
    (two,) = by_file["small_server/moved_eval.py"]
    assert one.line != two.line
    assert one.anchor == two.anchor


@pytest.mark.parametrize("folder", ["scanner", "tests"])
def test_where_nothing_ships_only_what_is_high_counts(by_file, folder):
    (found,) = by_file[f"{folder}/test_x.py"]
    assert found.id == "MCP-CODE-B307"


@pytest.mark.usefixtures("without_bandit")
def test_many_tools_and_long_sums_are_judged_in_bounded_time(make_project):
    calls = "    client.get(a)\n    db.execute(a)\n" * 1500
    swapped = "".join(
        f"def f{n}(a, b, c, d):\n    f{(n + 1) % 9}(b, c, d, a)\n"
        f"    f{(n + 2) % 9}(a, b, a, 1)\n"
        for n in range(9)
    )
    total = " + ".join(["'x'"] * 900)
    text = (
        f"{HEAD}{swapped}@tool\ndef g(a):\n    f0(a, 1, 2, 3)\n{calls}"
        f"def h(log):\n    log.info({total})\n"
    )
    result = code.check(
        make_project(**{"small_server/x.py": text}), Options(timeout=60)
    )
    assert result.complete, result.reason
    assert {f.id for f in result.findings} == {"MCP-CODE-009", "MCP-CODE-014"}


def test_a_file_that_switches_bandit_off_changes_nothing(by_file):
    assert (by_file["small_server/fault_B307.py"])[0].id == "MCP-CODE-B307"


@pytest.mark.parametrize("folder", ["scanner", "tests"])
@pytest.mark.parametrize(
    "rule",
    sorted(
        rule
        for rule in PLANTED
        if f"MCP-CODE-{rule}" in code.COUNTS_THERE - suppressions.IDS
    ),
)
def test_what_runs_code_at_the_desk_is_found(by_file, rule, folder):
    (found,) = by_file[f"{folder}/fault_{rule}.py"]
    assert found.id == f"MCP-CODE-{rule}"


@pytest.mark.usefixtures("without_bandit")
def test_a_server_of_the_scanners_name_is_read_whole(make_project):
    project = make_project(
        **{
            "pyproject.toml": SMALL["pyproject.toml"].replace(
                "small_server", "scanner"
            ),
            "scanner/__init__.py": "",
            "scanner/x.py": PLANTED["006"][0],
        }
    )
    found = code.check(project, Options()).findings
    assert [f.id for f in found] == ["MCP-CODE-006"]


@pytest.fixture(scope="module")
def unparsed(tmp_path_factory):
    """What one check says of every file that it cannot parse."""
    root = tmp_path_factory.mktemp("unparsed")
    for name, text in {**SMALL, **UNPARSED}.items():
        data = text.encode() if isinstance(text, str) else text
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(data)
    return code.check(Project(root), Options())


@pytest.mark.parametrize("name", UNPARSED)
def test_a_file_that_does_not_parse_is_a_gap(unparsed, name):
    assert name in unparsed.reason


def test_gaps_are_counted(unparsed):
    seen = unparsed.coverage
    assert seen.total - seen.covered == len(UNPARSED)
    assert not unparsed.complete


def test_a_project_without_its_package_is_an_error(make_project, options):
    project = make_project()
    shutil.rmtree(project.root / "small_server")
    assert code.check(project, options).state is State.ERROR


def partly(paths):
    """A report of Bandit's that knows only these files."""
    metrics = {path: {"loc": 1} for path in paths}
    known = {"loc": len(paths), "nosec": 0, "skipped_tests": 0}
    totals = {"_totals": known}
    report = {"errors": [], "results": [], "metrics": {**metrics, **totals}}
    return f"echo '{json.dumps(report)}'"


@pytest.mark.skipif(os.name != "posix", reason="shell scripts")
@pytest.mark.parametrize("failure", [*FAILURES, "some files", "no files"])
def test_a_bandit_that_fails_never_passes(
    make_project, options, bench, failure
):
    if failure == "some files":
        bench.install(
            "bandit", partly(["./small_server/settings.py"]), VERSION
        )
    elif failure == "no files":
        bench.install("bandit", partly([]), VERSION)
    else:
        bench.fail("bandit", failure, VERSION)
    planted = {"small_server/x.py": PLANTED["003"][0]}
    patience = Options(timeout=1.0)
    result = code.check(make_project(**planted), patience)
    assert not result.complete
    assert "bandit" in result.reason
    assert [f.id for f in result.findings] == ["MCP-CODE-003"]


SEEN = '"paths": {"scanned": ["small_server/__init__.py"]}'


@pytest.mark.usefixtures("without_bandit")
@pytest.mark.skipif(os.name != "posix", reason="shell scripts")
@pytest.mark.parametrize("failure", [f for f in FAILURES if f != "absent"])
def test_a_semgrep_that_is_there_must_work(
    make_project, options, bench, failure
):
    bench.fail("semgrep", failure, "1.185.0")
    result = code.check(make_project(), Options(timeout=3.0))
    assert result.state is State.ERROR
    assert "semgrep" in result.reason


@pytest.mark.usefixtures("without_bandit")
@pytest.mark.skipif(os.name != "posix", reason="shell scripts")
def test_a_semgrep_that_sees_a_part_is_an_error(make_project, options, bench):
    report = '{"errors": [], "results": [], ' + SEEN + "}"
    bench.install("semgrep", f"echo '{report}'", "1.185.0")
    result = code.check(make_project(), options)
    assert "semgrep saw 1 of 2 files" in result.reason


@pytest.mark.usefixtures("without_bandit")
@pytest.mark.skipif(os.name != "posix", reason="shell scripts")
def test_semgrep_adds_what_others_miss_and_repeats_nothing(
    make_project, options, bench
):
    result = {
        "check_id": "scanner.checks.MCP-CODE-014",
        "path": "small_server/x.py",
        "start": {"line": 2},
        "extra": {"severity": "ERROR", "message": "m"},
    }
    again = {**result, "start": {"line": 6}, "check_id": "a.MCP-CODE-012"}
    names = ["__init__", "settings", "x"]
    scanned = [f"small_server/{name}.py" for name in names]
    report = {"errors": [], "results": [result, again]}
    report["paths"] = {"scanned": scanned}
    bench.install("semgrep", f"echo '{json.dumps(report)}'", "1.185.0")
    text = f"def f(c, x):\n    c.run(x)\n{HEAD}@tool\n"
    text += "def g(x):\n    return __import__(x)\n"
    checked = code.check(make_project(**{"small_server/x.py": text}), options)
    ids = [finding.id for finding in checked.findings]
    assert sorted(ids) == ["MCP-CODE-012", "MCP-CODE-014"]
    (added,) = (f for f in checked.findings if f.line == 2)
    assert added.title == RULES["MCP-CODE-014"].title
    assert added.anchor == "c.run(x)"


@pytest.mark.usefixtures("without_bandit")
@pytest.mark.skipif(os.name != "posix", reason="shell scripts")
def test_a_rule_of_semgrep_s_that_is_not_ours_is_an_error(
    make_project, options, bench
):
    result = {"check_id": "other", "path": "x", "start": {"line": 1}}
    result["extra"] = {"message": "m"}
    report = {"errors": [], "results": [result], "paths": {"scanned": []}}
    bench.install("semgrep", f"echo '{json.dumps(report)}'", "1.185.0")
    checked = code.check(make_project(), options)
    assert "semgrep's report is not of a known form" in checked.reason


def test_each_of_semgrep_s_rules_is_one_that_is_explained():
    rules = yaml.safe_load(semgrep.RULES_FILE.read_text())["rules"]
    names = [rule["id"] for rule in rules]

    assert len(set(names)) == len(names) > 4
    for rule in rules:
        known = RULES[rule["id"]]
        severe = known.severity in {Severity.CRITICAL, Severity.HIGH}
        assert (rule["severity"] == "ERROR") is severe
        assert rule["mode"] == "taint"
        assert rule["pattern-sinks"]
        assert rule["pattern-sources"]


@pytest.mark.usefixtures("without_bandit")
def test_semgreps_absence_is_said_and_costs_nothing(
    make_project, options, bench
):
    result = code.check(make_project(), options)
    assert result.state is State.PASSED
    assert result.complete
    assert "semgrep is not installed" in result.reason


def test_every_test_of_bandits_has_a_rule_with_a_remedy():
    known = [r for r in RULES if r.startswith("MCP-CODE-B")]
    assert len(known) > 70
    assert all(RULES[rule].remedy for rule in known)
    assert RULES["MCP-CODE-B307"].severity is Severity.HIGH


def test_another_statement_of_several_lines_is_another_finding(make_project):
    texts = {
        name: "import subprocess\n\n\ndef run(request):\n"
        "    subprocess.run(\n"
        f"        {what},\n        shell=True,\n        check=True,\n    )\n"
        for name, what in (("ls", "'ls'"), ("body", "request.body"))
    }
    prints = []
    for text in texts.values():
        project = make_project(**{"small_server/a.py": text})
        found = code.check(project, Options()).findings
        prints.append({f.fingerprint for f in found})
        assert "MCP-CODE-B602" in {f.id for f in found}

    assert not prints[0] & prints[1] - _imports(found)


def _imports(found):
    return {f.fingerprint for f in found if f.id == "MCP-CODE-B404"}
