import json
import os

import pytest

from scanner.checks import code
from scanner.model import Options, Severity, State
from scanner.project import Project
from scanner.rules import RULES, rules_for
from tests.scanner.faulty_tools import FAILURES
from tests.scanner.small import SMALL

VERSION = "1.9.4"
HEAD = "from . import tool\n"


@pytest.fixture
def findings(make_project, options):
    """Checks a project with this text in a module of the package."""

    def check(text, path="small_server/planted.py", **files):
        project = make_project(**{path: text}, **files)
        result = code.check(project, options)
        assert result.coverage is not None
        assert not result.coverage.partial, result.reason
        return {f.id.removeprefix("MCP-CODE-"): f for f in result.findings}

    return check


# By rule: what fires it, and what is like it and right. A planted password
# is put together here, so that no scanner trips over this file.
SECRET = "".join(["hun", "ter2", "!Zq"])
PLANTED = {
    "001": (
        "import os\nos.popen('ls')  # " + "nosec B605 B607\n",
        "import os\nos.popen('ls')  # " + "nosec B605 B607 # a fixed word\n",
    ),
    "002": (
        "def f(x):\n    return x  # " + "noqa: S603\n",
        "def f(x):\n    return x  # " + "noqa: S603 - a fixed program\n",
    ),
    "003": (
        "import asyncio as a\nasync def f(x):\n"
        "    await a.create_subprocess_shell(x)\n",
        "import asyncio as a\nasync def f():\n"
        "    await a.create_subprocess_exec('/bin/ls')\n",
    ),
    "004": (
        "import yaml\ndef f(x):\n    return yaml.unsafe_load(x)\n",
        "import yaml\ndef f(x):\n    return yaml.safe_load(x)\n",
    ),
    "005": (
        "import ssl\ndef f(c):\n    c.check_hostname = False\n"
        "    c.verify_mode = ssl.CERT_NONE\n",
        "import ssl\ndef f(c):\n    c.check_hostname = True\n"
        "    c.verify_mode = ssl.CERT_REQUIRED\n",
    ),
    "006": (
        "import jwt\ndef f(t):\n"
        "    return jwt.decode(t, options={'verify_signature': False})\n",
        "import jwt\ndef f(t, k):\n"
        "    return jwt.decode(t, k, algorithms=['RS256'])\n",
    ),
    "007": (
        HEAD + "from pathlib import Path\n@tool\ndef f(name: str) -> str:\n"
        "    here = Path('/srv') / name\n    return here.read_text()\n",
        HEAD + "@tool\ndef f(name: str, workspace: Workspace) -> str:\n"
        "    return workspace.read(name).text + open('/etc/motd').read()\n",
    ),
    "008": (
        HEAD + "import subprocess\n@tool(scope='x')\ndef f(name: str):\n"
        "    subprocess.run(['/bin/grep', name])\n",
        HEAD + "@tool(scope='x')\nasync def f(name: str, runner):\n"
        "    return await runner.run(['grep', name])\n",
    ),
    "009": (
        HEAD + "import httpx\n@tool\nasync def f(url: str):\n"
        "    async with httpx.AsyncClient() as client:\n"
        "        return await client.get(f'https://{url}')\n",
        HEAD + "import httpx\n@tool\nasync def f(city: str):\n"
        "    async with httpx.AsyncClient() as client:\n"
        "        return await client.get(f'https://x.example/{city}')\n",
    ),
    "010": (
        "import hmac\ndef f(k, m, s):\n"
        "    return hmac.new(k, m, 'sha256').hexdigest() == s\n",
        "import hmac\ndef f(k, m, s):\n    d = hmac.new(k, m, 'sha256')\n"
        "    return hmac.compare_digest(d.hexdigest(), s)\n",
    ),
    "011": ("breakpoint()\n", "def breakpoints():\n    return 1\n"),
    "B102": ("def f(x):\n    exec(x)\n", "def execute(x):\n    return x\n"),
    "B105": (f"password = '{SECRET}'\n", "password = None\n"),
    "B301": (
        "import pickle\ndef f(x):\n    return pickle.loads(x)\n",
        "import json\ndef f(x):\n    return json.loads(x)\n",
    ),
    "B307": (
        "def f(x):\n    return eval(x)\n",
        "import ast\ndef f(x):\n    return ast.literal_eval(x)\n",
    ),
    "B506": (
        "import yaml\ndef f(x):\n    return yaml.load(x)\n",
        "import yaml\ndef f(x):\n    return yaml.load(x, yaml.SafeLoader)\n",
    ),
    "B602": (
        "import subprocess\ndef f(x):\n    subprocess.run(x, shell=True)\n",
        "def f(shell=True):\n    return shell\n",
    ),
    "B608": (
        "def f(c, x):\n    c.execute(f\"SELECT a FROM b WHERE c = '{x}'\")\n",
        "def f(c, x):\n    c.execute('SELECT a FROM b WHERE c = ?', (x,))\n",
    ),
}
MEDIUM = {"009", "010"}
LOW = {"001", "002", "011"}


@pytest.fixture(scope="module")
def by_file(tmp_path_factory):
    """The findings in each planted file; all are checked in one run."""
    root = tmp_path_factory.mktemp("planted")
    files = {**SMALL}
    for rule, texts in PLANTED.items():
        for kind, text in zip(("fault", "right"), texts, strict=True):
            files[f"small_server/{kind}_{rule}.py"] = text
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
    assert found.severity == severity


@pytest.mark.parametrize("rule", PLANTED)
def test_what_is_like_it_and_right_is_no_finding(by_file, rule):
    assert f"small_server/right_{rule}.py" not in by_file


def test_every_rule_of_our_own_is_planted():
    rules = [*rules_for("MCP-CODE-"), *rules_for("MCP-CODE-", on="tool")]
    own = {rule.id.removeprefix("MCP-CODE-") for rule in rules}
    assert own <= set(PLANTED)


def test_a_pinned_certificate_may_have_any_name(findings):
    made = "ssl.create_default_context(cafile='/c.pem')"
    text = f"import ssl\nc = {made}\nc.check_hostname = False\n"
    assert findings(text) == {}
    assert list(findings(f"{text}c.verify_mode = ssl.CERT_NONE\n")) == ["005"]


def test_no_value_of_a_password_is_told_or_hashed(findings):
    one = findings(f"password = '{SECRET}'\n")["B105"]
    assert SECRET not in repr(one)
    other = findings("password = 'Other" + "Pa55!'\n")["B105"]
    assert one.fingerprint == other.fingerprint


@pytest.mark.parametrize(
    ("line", "severity"),
    [
        ("token_url = 'https://id.example.com/token'", "low"),
        ("token = 'bearer'", "low"),
        ("token = ''", None),
    ],
)
def test_a_word_that_is_no_password_weighs_little(findings, line, severity):
    found = findings(f"{line}\n").get("B105")
    assert (found.severity if found else None) == severity


def test_a_wrapped_suppression_of_every_rule_needs_a_reason(findings):
    assert list(findings("x = 1  # " + "noqa\n")) == ["002"]


@pytest.mark.parametrize(
    "comment", ["noqa: E501", "noqa: E501, PLR0913", "type: ignore[arg-type]"]
)
def test_other_lints_may_be_silenced_without_a_word(findings, comment):
    assert findings("x = 1  # " + comment + "\n") == {}


def test_our_own_rules_are_let_off_for_a_reason_on_the_line(findings):
    fault = "import ssl\ndef f(c):\n    c.verify_mode = ssl.CERT_NONE"
    assert findings(f"{fault}  # MCP-CODE-005: asks this host only\n") == {}
    assert list(findings(f"{fault}  # MCP-CODE-005\n")) == ["005"]


def test_in_tests_only_what_is_high_counts(findings):
    text = f"assert 1\npassword = '{SECRET}'\ndef f(x):\n    return eval(x)\n"
    assert list(findings(text, path="tests/test_x.py")) == ["B307"]


def test_settings_that_switch_bandit_off_change_nothing(findings):
    off = "[bandit]\nskips = B307\nexclude = small_server\ntests = B101\n"
    found = findings(PLANTED["B307"][0], **{".bandit": off})
    assert list(found) == ["B307"]


@pytest.mark.parametrize("name", ["CVS.py", "-rf.py", "new\nline.py", "é.py"])
def test_no_name_hides_a_file(findings, name):
    assert list(findings(PLANTED["B307"][0], f"small_server/{name}")) == [
        "B307"
    ]


def test_a_finding_keeps_its_fingerprint_when_lines_move(findings):
    one = findings("def f(x):\n    return eval(x)\n")["B307"]
    two = findings("import os\n\n\ndef g(x):\n  return eval(x)\n")["B307"]
    assert one.line != two.line
    assert one.fingerprint == two.fingerprint


def partial(make_project, options, **files):
    return code.check(make_project(**files), options)


@pytest.mark.parametrize(
    "text",
    [
        b"def (",
        b"x = '\xff'\n",
        b"x\0",
        b"(" * 5000,
        b"x = " + b"-" * 20_000 + b"1",
        b"x" * (2**20 + 1),
        b"x;" * 60_000,
        b"# coding: nonsense\n",
    ],
    ids=[
        "syntax",
        "utf-8",
        "nul",
        "deep",
        "stack",
        "large",
        "dense",
        "coding",
    ],
)
def test_a_file_that_does_not_parse_is_a_gap(make_project, options, text):
    result = partial(make_project, options, **{"small_server/bad.py": text})
    assert result.coverage.covered == result.coverage.total - 1
    assert "small_server/bad.py" in result.reason
    assert not result.complete


def test_a_project_without_its_package_is_an_error(make_project, options):
    project = make_project(**{".gitignore": "small_server/\n"})
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


@pytest.mark.skipif(os.name != "posix", reason="shell scripts")
@pytest.mark.parametrize("failure", [f for f in FAILURES if f != "absent"])
def test_a_semgrep_that_is_there_must_work(
    make_project, options, bench, failure
):
    bench.keep("bandit")
    bench.fail("semgrep", failure, "1.185.0")
    result = code.check(make_project(), Options(timeout=3.0))
    assert result.state is State.ERROR
    assert "semgrep" in result.reason


@pytest.mark.skipif(os.name != "posix", reason="shell scripts")
def test_a_semgrep_that_sees_a_part_is_an_error(make_project, options, bench):
    bench.keep("bandit")
    report = '{"errors": [], "results": [], ' + SEEN + "}"
    bench.install("semgrep", f"echo '{report}'", "1.185.0")
    result = code.check(make_project(), options)
    assert "semgrep saw 1 of 2 files" in result.reason


@pytest.mark.skipif(os.name != "posix", reason="shell scripts")
def test_semgrep_adds_what_others_miss_and_repeats_nothing(
    make_project, options, bench
):
    bench.keep("bandit")
    result = {
        "check_id": "scanner.checks.MCP-CODE-S04",
        "path": "small_server/x.py",
        "start": {"line": 2},
        "extra": {
            "severity": "ERROR",
            "message": "m",
            "metadata": {"title": "t", "remedy": "r", "cwe": "CWE-89"},
        },
    }
    again = {**result, "start": {"line": 4}, "check_id": "a.MCP-CODE-S01"}
    again["extra"] = {
        **result["extra"],
        "metadata": {"title": "t", "remedy": "r", "cwe": "CWE-78"},
    }
    names = ["__init__", "settings", "x"]
    scanned = [f"small_server/{name}.py" for name in names]
    report = {"errors": [], "results": [result, again]}
    report["paths"] = {"scanned": scanned}
    bench.install("semgrep", f"echo '{json.dumps(report)}'", "1.185.0")
    text = "def f(c, x):\n    c.run(x)\ndef g(x):\n    return eval(x)\n"
    checked = code.check(make_project(**{"small_server/x.py": text}), options)
    ids = [finding.id for finding in checked.findings]
    assert sorted(ids) == ["MCP-CODE-B307", "MCP-CODE-S04"]


def test_semgreps_absence_is_said_and_costs_nothing(
    make_project, options, bench
):
    bench.keep("bandit")
    result = code.check(make_project(), options)
    assert result.state is State.PASSED
    assert result.complete
    assert "semgrep is not installed" in result.reason


def test_every_test_of_bandits_has_a_rule_with_a_remedy():
    known = [r for r in RULES if r.startswith("MCP-CODE-B")]
    assert len(known) > 70
    assert all(RULES[rule].remedy for rule in known)
    assert RULES["MCP-CODE-B307"].severity is Severity.HIGH
