import json
import os

import pytest
import yaml

from scanner.checks import code, semgrep
from scanner.model import Options, Severity, State
from scanner.project import Project
from scanner.rules import RULES, rules_for
from tests.scanner.faulty_tools import FAILURES
from tests.scanner.small import SMALL

VERSION = "1.9.4"
HEAD = "from . import tool\n"


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
    "012": (
        HEAD + "import importlib\n@tool\ndef f(name: str):\n"
        "    return importlib.import_module(name)\n",
        HEAD + "import importlib\n@tool\ndef f(name: str):\n"
        "    return getattr(importlib.import_module('json'), 'dumps')(name)\n",
    ),
    "013": (
        HEAD + "from jinja2 import Template\n@tool\ndef f(text: str):\n"
        "    return Template(text).render()\n",
        HEAD + "from jinja2 import Template\n@tool\ndef f(text: str):\n"
        "    return '{}'.format(Template('<{{ x }}>').render(x=text))\n",
    ),
    "014": (
        HEAD + "import sqlite3\n@tool\ndef f(query: str):\n"
        "    store = sqlite3.connect('x')\n    return store.execute(query)\n",
        HEAD
        + "@tool\ndef f(name: str, db, runner):\n    runner.execute(name)\n"
        "    return db.execute('PRAGMA user_version', (name,))\n",
    ),
    "015": (
        HEAD + "import os\n@tool\ndef f() -> dict:\n"
        "    return dict(os.environ)\n",
        HEAD + "import os\n@tool\ndef f(name: str) -> str:\n"
        "    return os.environ.get('LANG', name)\n",
    ),
    "016": (
        HEAD + "import re\n@tool\ndef f(pattern: str, text: str) -> bool:\n"
        "    return bool(re.search(pattern, text))\n",
        HEAD + "import re\n@tool\ndef f(word: str, text: str) -> bool:\n"
        "    return bool(re.search(re.escape(word) + r'\\b', text))\n",
    ),
    "017": (
        "import builtins\ndef f(x):\n    return builtins.eval(x)\n",
        "def f(x):\n    evaluate = x.eval\n    return getattr(x, 'value')\n",
    ),
    "018": (
        "import ssl\ndef f(c):\n"
        "    c.minimum_version = ssl.TLSVersion.TLSv1\n",
        "import ssl\ndef f(c):\n"
        "    c.minimum_version = ssl.TLSVersion.TLSv1_2\n",
    ),
    "019": (
        "from pathlib import Path\ndef f(p):\n    Path(p).chmod(0o666)\n",
        "from pathlib import Path\ndef f(p):\n    Path(p).chmod(0o644)\n",
    ),
    "020": (
        "import logging\ndef f(password):\n"
        "    logging.info('with %s', password)\n",
        "import logging\ndef f(password, user):\n"
        "    logging.info('password %s of %s', len(password), user.name)\n",
    ),
    "021": (
        "def f(CORS, app):\n    return CORS(\n        app,"
        " allow_origins=['*'], allow_credentials=True\n    )\n",
        "def f(CORS, app):\n    return CORS(\n        app,"
        " allow_origins=['*'], allow_credentials=False\n    )\n",
    ),
    "022": (
        "from lxml import etree\nP = etree.XMLParser(resolve_entities=True)\n",
        "from lxml import etree\nP = etree.XMLParser(no_network=True)\n",
    ),
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
NONE = "import ssl\ndef f(c):\n    c.verify_mode = ssl.CERT_NONE"
PINNED = (
    "import ssl\nc = ssl.create_default_context(cafile='/c.pem')\n"
    "c.check_hostname = False\n"
)
CASES = {
    "pinned": (PINNED, []),
    "pinned_and_off": (
        f"{PINNED}c.verify_mode = ssl.CERT_NONE\n",
        ["005 high"],
    ),
    "with_reason": (f"{NONE}  # MCP-CODE-005: asks this host only\n", []),
    "without_reason": (f"{NONE}  # MCP-CODE-005\n", ["005 high"]),
    "helped": (
        HEAD + "def read(p):\n    with open(p) as file:\n"
        "        return file.read()\ndef more(p):\n    return read(p)\n"
        "@tool\ndef f(name: str):\n    return more(name)\n",
        ["007 high"],
    ),
    "helped_with_a_fixed_word": (
        HEAD + "def read(p):\n    with open(p) as file:\n"
        "        return file.read()\n"
        "@tool\ndef f(name: str):\n    return name + read('/etc/motd')\n",
        [],
    ),
    "calculated": (
        HEAD + "import sympy\n@tool\ndef f(text: str):\n"
        "    return str(sympy.sympify(text))\n",
        ["012 high"],
    ),
    "secret_returned": (
        HEAD + "import os\n@tool\ndef f():\n"
        "    return os.environ['API_KEY']\n",
        ["015 high"],
    ),
    "region_returned": (
        HEAD + "import os\n@tool\ndef f():\n    return os.environ['REGION']\n",
        [],
    ),
    "no_certificate": (
        "import urllib3\nP = urllib3.PoolManager(cert_reqs='CERT_NONE')\n",
        ["005 high"],
    ),
    "a_certificate": (
        "import urllib3\nP = urllib3.PoolManager(cert_reqs='CERT_REQUIRED')\n",
        [],
    ),
    "unpacked": (
        HEAD + "import shutil\n@tool\ndef f(name: str):\n"
        "    return shutil.unpack_archive(name, '/workspace')\n",
        ["007 high"],
    ),
    "line_of": (
        HEAD + "import linecache\n@tool\ndef f(name: str):\n"
        "    return linecache.getline(name, 1)\n",
        ["007 high"],
    ),
    "any_host": (
        HEAD + "import http.client\n@tool\ndef f(host: str):\n"
        "    return http.client.HTTPSConnection(host)\n",
        ["009 medium"],
    ),
    "one_host": (
        HEAD + "import http.client\n@tool\ndef f(path: str):\n"
        "    c = http.client.HTTPSConnection('a.example')\n"
        "    c.request('GET', path)\n",
        [],
    ),
    "environment_by_name": (
        HEAD + "import os\n@tool\ndef f():\n"
        "    found = dict(os.environ)\n    return found\n",
        ["015 high"],
    ),
    "environment_rebuilt": (
        HEAD + "import os\n@tool\ndef f():\n"
        "    return {k: v for k, v in os.environ.items()}\n",
        ["015 high"],
    ),
    "environment_chosen_from": (
        HEAD + "import os\n@tool\ndef f():\n    return {\n"
        "        k: v for k, v in os.environ.items() if k == 'LANG'\n    }\n",
        [],
    ),
    "unverified_claims": (
        "from jose import jwt\ndef f(t):\n"
        "    return jwt.get_unverified_claims(t)\n",
        ["006 high"],
    ),
    "against_the_environment": (
        "import os\ndef f(api_key):\n"
        "    return api_key == os.environ['KEY']\n",
        ["010 medium"],
    ),
    "mode_of_the_environment": (
        "import os\ndef f(mode):\n    return mode == os.getenv('MODE')\n",
        [],
    ),
    "console": ("import code\ncode.interact()\n", ["011 low"]),
    "eval_put_together": (
        "import builtins\ndef f(x):\n"
        "    return getattr(builtins, 'ev' + 'al')(x)\n",
        ["017 high"],
    ),
    "eval_of_the_table": (
        "def f(x):\n    return __builtins__['ev' + 'al'](x)\n",
        ["017 high"],
    ),
    "named_builtin": (
        "import builtins\ndef f(x):\n"
        "    return getattr(builtins, 'len')(x), __builtins__['str']\n",
        [],
    ),
    "mode_by_names": (
        "import os, stat\ndef f(p):\n"
        "    os.chmod(p, stat.S_IRUSR | stat.S_IWOTH)\n",
        ["019 high"],
    ),
    "own_mode_by_names": (
        "import os, stat\ndef f(p):\n"
        "    os.chmod(p, stat.S_IRUSR | stat.S_IWUSR)\n",
        [],
    ),
    "token_by_keyword": (
        "def f(log, password):\n    log.info('in', password=password)\n",
        ["020 medium"],
    ),
    "header_in_the_log": (
        "def f(log, request):\n"
        "    log.debug('%s', request.headers['authorization'])\n",
        ["020 medium"],
    ),
    "length_by_keyword": (
        "def f(log, password):\n    log.info('in', size=len(password))\n",
        [],
    ),
    "opened_path": (
        HEAD + "from pathlib import Path\n@tool\ndef f(name: str):\n"
        "    return Path(name).open()\n",
        ["007 high"],
    ),
    "replaced_by": (
        HEAD + "import os\n@tool\ndef f(name: str):\n"
        "    os.execvp(name, [name])\n",
        ["008 high"],
    ),
    "any_session": (
        HEAD + "import aiohttp\n@tool\nasync def f(url: str):\n"
        "    async with aiohttp.ClientSession() as s, s.get(url) as r:\n"
        "        return await r.text()\n",
        ["009 medium"],
    ),
    "any_port": (
        HEAD + "import socket\n@tool\ndef f(host: str):\n"
        "    return socket.create_connection((host, 80))\n",
        ["009 medium"],
    ),
    "own_format": (
        HEAD + "@tool\ndef f(text: str):\n    return text.format(f)\n",
        ["013 medium"],
    ),
    "own_attribute": (
        HEAD + "import os\n@tool\ndef f(name: str):\n"
        "    return getattr(os, name)()\n",
        ["012 medium"],
    ),
    "own_variable": (
        HEAD + "import os\n@tool\ndef f(name: str):\n"
        "    return os.environ[name]\n",
        ["015 high"],
    ),
    "no_end": (
        "import jwt\ndef f(t, k):\n    return jwt.decode(\n"
        "        t, k, ['RS256'], options={'verify_exp': False})\n",
        ["006 medium"],
    ),
    "header": (
        "def f(request, x):\n"
        "    return request.headers['authorization'] == 'Bearer ' + x\n",
        ["010 medium"],
    ),
    "other_header": (
        "def f(request):\n    return request.headers['accept'] == 'a/b'\n",
        [],
    ),
    "aiohttp": (
        "import aiohttp\nc = aiohttp.TCPConnector(ssl=False)\n",
        ["005 high"],
    ),
    "unverified_default": (
        "import ssl\nssl._create_default_https_context = "
        "ssl._create_unverified_context\n",
        ["005 high"],
    ),
    "unsafe_yaml": (
        "from ruamel.yaml import YAML\ny = YAML(typ='unsafe')\n",
        ["004 high"],
    ),
    "eval_renamed": ("run = eval\n", ["017 high"]),
    "eval_fetched": (
        "import builtins\nrun = getattr(builtins, 'eval')\n",
        ["017 high"],
    ),
    "umask": ("import os\nos.umask(0)\n", ["019 high"]),
    "umask_read": ("import os\nmask = os.umask(0)\nos.umask(mask)\n", []),
    "tls_in_a_table": ("import ssl\nx = {ssl.TLSVersion.TLSv1: 1}\n", []),
    "tls_context": (
        "import ssl\nc = ssl.SSLContext(ssl.PROTOCOL_TLSv1)\n",
        ["018 high"],
    ),
    "umask_kept": ("import os\nos.umask(0o077)\n", []),
    "token_in_text": (
        "def f(log, token):\n    log.info(f'using {token}')\n",
        ["020 medium"],
    ),
    "a_url": ("token_url = 'https://id.example.com/token'\n", ["B105 low"]),
    "a_word": ("token = 'bearer'\n", ["B105 low"]),
    "an_empty_word": ("token = ''\n", []),
    "other_password": ("password = 'Other" + "Pa55!'\n", ["B105 high"]),
    "moved_eval": (
        "import os\n\ndef g(x):\n  return eval(x)\n",
        ["B307 high"],
    ),
    "silenced_whole": ("x = 1  # " + "noqa\n", ["002 low"]),
    "silenced_style": ("x = 1  # " + "noqa: E501, PLR0913\n", []),
    "silenced_type": ("x = 1  # " + "type: ignore[arg-type]\n", []),
    "silenced_twice": (
        "import os\nos.popen('ls')  # "
        + "noqa: S605 # "
        + "nosec B605 B607\n",
        ["001 low"],
    ),
    "CVS": ("eval('1')\n", ["B307 high"]),
    "-rf": ("eval('1')\n", ["B307 high"]),
    "new\nline": ("eval('1')\n", ["B307 high"]),
    "é": ("eval('1')\n", ["B307 high"]),
}
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
MEDIUM = {"009", "010", "016", "020", "021"}
LOW = {"001", "002", "011"}


@pytest.fixture(scope="module")
def by_file(tmp_path_factory):
    """The findings in each planted file; all are checked in one run."""
    root = tmp_path_factory.mktemp("planted")
    files = {**SMALL}
    for rule, texts in PLANTED.items():
        for kind, text in zip(("fault", "right"), texts, strict=True):
            files[f"small_server/{kind}_{rule}.py"] = text
            files[f"tests/{kind}_{rule}.py"] = text
    for name, (text, _) in CASES.items():
        files[f"small_server/{name}.py"] = text
    files["tests/test_x.py"] = (
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


def test_in_tests_only_what_is_high_counts(by_file):
    (found,) = by_file["tests/test_x.py"]
    assert found.id == "MCP-CODE-B307"


def test_many_tools_and_long_sums_are_judged_in_bounded_time(
    make_project, options
):
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


@pytest.mark.parametrize("rule", ["003", "004", "B102", "B301", "B602"])
def test_what_runs_code_in_a_test_is_found(by_file, rule):
    (found,) = by_file[f"tests/fault_{rule}.py"]
    assert found.id == f"MCP-CODE-{rule}"


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


def test_each_of_semgrep_s_rules_says_what_a_finding_needs():
    rules = yaml.safe_load(semgrep.RULES_FILE.read_text())["rules"]
    names = [f"MCP-CODE-S{n:02}" for n in range(1, len(rules) + 1)]

    assert [rule["id"] for rule in rules] == names
    for rule in rules:
        assert rule["severity"] in {"ERROR", "WARNING"}
        assert rule["metadata"].keys() == {"title", "cwe", "remedy"}
        assert ("mode" in rule) == ("pattern-sinks" in rule)


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
