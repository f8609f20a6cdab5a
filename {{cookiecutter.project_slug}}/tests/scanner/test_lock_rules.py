"""What stands in a lock, and in what it was made of."""

import pytest

from scanner.checks.name_rules import mistaken_for
from scanner.model import Severity
from scanner.rules import RULES

from . import advisory_service as osv
from .small_lock import LOCK, PYPROJECT, REQUIRES, ids

UNBOUNDED = PYPROJECT.replace(">=1,<2", ">=1")
WISH = REQUIRES.replace(">=1,<2", ">=1")
PROTOCOL = PYPROJECT.replace("demo>=1,<2", "fastmcp>=4")
IN_CLEAR = f'{{ registry = "{osv.INDEX.replace("https:", "http:")}" }}'
GIT = '{ git = "https://host/demo?rev=1#0" }'
RULES_OF_LOCKS = {
    "001": (Severity.MEDIUM, {"uv.lock": ""}),
    "002": (
        Severity.MEDIUM,
        {"uv.lock": LOCK.replace(">=1,<2", ">=1,<3")},
    ),
    "003": (
        Severity.MEDIUM,
        {
            "uv.lock": osv.lock(
                osv.package("demo", hashed=False), requires=REQUIRES
            )
        },
    ),
    "004": (
        Severity.MEDIUM,
        {
            "pyproject.toml": PROTOCOL,
            "uv.lock": LOCK.replace(
                REQUIRES, '{ name = "fastmcp", specifier = ">=4" }'
            ),
        },
    ),
    "005": (
        Severity.LOW,
        {"pyproject.toml": UNBOUNDED, "uv.lock": LOCK.replace(REQUIRES, WISH)},
    ),
    "006": (
        Severity.MEDIUM,
        {
            "uv.lock": osv.lock(
                osv.package("demo", source=GIT), requires=REQUIRES
            )
        },
    ),
    "006-branch": (
        Severity.HIGH,
        {
            "uv.lock": osv.lock(
                osv.package("demo", source=GIT.replace("rev=1", "branch=1")),
                requires=REQUIRES,
            )
        },
    ),
    "007": (
        Severity.HIGH,
        {
            "uv.lock": osv.lock(
                osv.package("demo", source=IN_CLEAR), requires=REQUIRES
            )
        },
    ),
    "016": (
        Severity.HIGH,
        {
            "pyproject.toml": PYPROJECT.replace("demo>=", "reqeusts>="),
            "uv.lock": LOCK.replace(
                REQUIRES, REQUIRES.replace("demo", "reqeusts")
            ),
        },
    ),
    "008": (
        Severity.LOW,
        {
            "uv.lock": osv.lock(
                osv.package("demo", uploaded="2026-08-01T00:00:00Z"),
                requires=REQUIRES,
            )
        },
    ),
    "012": (
        Severity.MEDIUM,
        {
            "pyproject.toml": PYPROJECT
            + '[tool.uv]\nindex-strategy = "unsafe-best-match"\n'
        },
    ),
    "012-with-others": (
        Severity.HIGH,
        {
            "pyproject.toml": PYPROJECT
            + '[tool.uv]\nindex-strategy = "unsafe-best-match"\n'
            + 'find-links = ["https://example.com/wheels"]\n'
        },
    ),
    "013": (
        Severity.HIGH,
        {"uv.lock": LOCK.replace('{ name = "h11" }', '{ name = "gone" }', 1)},
    ),
    "014": (
        Severity.HIGH,
        {
            "uv.lock": LOCK.replace(
                f"{osv.FILES}/h11-", "https://other.example/h11-"
            )
        },
    ),
    "015": (
        Severity.LOW,
        {"pyproject.toml": f'[build-system]\nrequires = ["b"]\n\n{PYPROJECT}'},
    ),
    "011": (
        Severity.MEDIUM,
        {"uv.lock": "", "requirements.txt": f"demo --hash=sha256:{'0' * 64}"},
    ),
}


@pytest.mark.parametrize("number", RULES_OF_LOCKS)
def test_a_planted_fault_of_the_lock_is_found(number, scan_lock):
    severity, files = RULES_OF_LOCKS[number]
    found = {(f.id, f.severity) for f in scan_lock(**files).findings}

    assert found == {(f"MCP-DEP-{number[:3]}", severity)}


BY_HAND = {
    "removed": LOCK.replace(osv.package("h11"), ""),
    "added": LOCK.replace(
        "[[package]]", f"{osv.package('evil')}[[package]]", 1
    ),
    "out of bounds": LOCK.replace(
        osv.package("demo"), osv.package("demo", "2.0")
    ),
    "another version": LOCK.replace('version = "1.0"', 'version = "1.1"', 1),
    "another's file": LOCK.replace("h11-1.0-py3", "hll-1.0-py3"),
    "a longer version": LOCK.replace("h11-1.0-py3", "h11-1.0.1-py3"),
}


@pytest.mark.parametrize("way", BY_HAND)
def test_a_lock_that_was_changed_by_hand_is_found(way, scan_lock):
    found = scan_lock(**{"uv.lock": BY_HAND[way]}).findings

    assert [f.id for f in found] == ["MCP-DEP-013"]


def test_a_package_of_an_index_that_nobody_named_is_found(scan_lock):
    mine = osv.package("h11", source='{ registry = "https://mine/simple" }')
    lock = osv.lock(
        osv.package("demo"), osv.package("tool"), mine, requires=REQUIRES
    )
    index = '\n[[tool.uv.index]]\nname = "mine"\nurl = "https://mine/simple"\n'

    assert ids(scan_lock(**{"uv.lock": lock})) == ["MCP-DEP-014"]
    named = {"uv.lock": lock, "pyproject.toml": PYPROJECT + index}
    assert ids(scan_lock(**named)) == []


def test_a_member_of_the_workspace_is_no_missing_package(scan_lock):
    member = osv.package("part", source='{ editable = "part" }')
    lock = osv.lock(osv.package("demo"), member, requires=REQUIRES)
    declared = f'{PYPROJECT}\n[tool.uv.workspace]\nmembers = ["pa*"]\n'
    files = {"uv.lock": lock, "pyproject.toml": declared}

    assert scan_lock(**files).findings == ()
    assert ids(scan_lock(**{"uv.lock": lock})) == ["MCP-DEP-006"]


@pytest.mark.parametrize(
    ("wanted", "severity"),
    [
        (f"git+https://host/demo@{'0a' * 20}", "medium"),
        ("git+https://host/demo@v1.2", "medium"),
        ("git+ssh://git@host/demo@main", "high"),
        ("git+https://host/demo", "high"),
    ],
)
def test_a_branch_is_worse_than_a_commit(wanted, severity, scan_lock):
    declared = PYPROJECT.replace("demo>=", f'other @ {wanted}", "demo>=')
    found = scan_lock(**{"pyproject.toml": declared}).findings

    assert {f.severity for f in found if f.id == "MCP-DEP-006"} == {severity}


@pytest.mark.parametrize("where", ["vendor/x", "part/deeper", "part/../../x"])
def test_a_folder_that_is_no_member_is_told_of(where, scan_lock):
    folder = osv.package("x", source=f'{{ editable = "{where}" }}')
    lock = osv.lock(osv.package("demo"), folder, requires=REQUIRES)
    declared = f'{PYPROJECT}\n[tool.uv.workspace]\nmembers = ["part"]\n'

    assert ids(scan_lock(**{"uv.lock": lock, "pyproject.toml": declared})) == [
        "MCP-DEP-006"
    ]


EVIL = LOCK.replace(osv.INDEX, "https://evil.example").replace(
    osv.FILES, "https://evil.example/x"
)
MINE = LOCK.replace(osv.INDEX, "https://mirror.example/simple").replace(
    osv.FILES, "https://files.mirror.example"
)


def test_a_lock_that_comes_from_elsewhere_as_a_whole_is_found(scan_lock):
    found = ids(scan_lock(**{"uv.lock": EVIL}))

    assert found == ["MCP-DEP-014"] * 2


def test_files_that_all_come_from_elsewhere_are_found(scan_lock):
    lock = LOCK.replace(osv.FILES, "https://evil.example")

    assert ids(scan_lock(**{"uv.lock": lock})) == ["MCP-DEP-014"] * 2


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("UV_DEFAULT_INDEX", "https://mirror.example/simple"),
        ("UV_INDEX", "https://other.example mine=https://mirror.example/s"),
        ("PIP_INDEX_URL", "https://user:word@mirror.example/simple?a=b"),
    ],
)
def test_a_mirror_that_the_environment_names_is_known(
    variable, value, scan_lock, monkeypatch
):
    assert set(ids(scan_lock(**{"uv.lock": MINE}))) == {"MCP-DEP-014"}
    monkeypatch.setenv(variable, value)

    assert ids(scan_lock(**{"uv.lock": MINE})) == []


def test_a_mirror_that_this_machine_s_settings_name_is_known(
    scan_lock, monkeypatch, tmp_path
):
    chosen = tmp_path / "uv.toml"
    chosen.write_text('index-url = "https://mirror.example/simple"\n')
    monkeypatch.setenv("UV_CONFIG_FILE", str(chosen))

    assert ids(scan_lock(**{"uv.lock": MINE})) == []


WEAK = {
    "MD5": ("MCP-DEP-003", LOCK.replace("sha256:" + "0" * 64, "md5:0", 1)),
    "http": ("MCP-DEP-007", LOCK.replace("https://files", "http://files", 1)),
    "Python": ("MCP-DEP-002", LOCK.replace(">=3.11", ">=3.12", 1)),
}


@pytest.mark.parametrize("way", WEAK)
def test_a_part_of_the_lock_that_is_weak_or_off_is_found(way, scan_lock):
    known, lock = WEAK[way]

    assert ids(scan_lock(**{"uv.lock": lock})) == [known]


@pytest.mark.parametrize(
    ("where", "known"),
    [
        ("git+https://a.example/demo@main", "MCP-DEP-006"),
        ("https://a.example/demo-1.0-py3-none-any.whl", "MCP-DEP-006"),
        ("http://a.example/demo-1.0-py3-none-any.whl", "MCP-DEP-007"),
        ("git+http://a.example/demo@main", "MCP-DEP-007"),
    ],
)
def test_an_address_in_place_of_a_version_is_found(where, known, scan_lock):
    asked = PYPROJECT.replace("demo>=1,<2", f"demo @ {where}")

    assert ids(scan_lock(**{"pyproject.toml": asked})) == [known]


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("requests\nflask>=2\n", ["MCP-DEP-011"]),
        ("requests==2.32.3\n", []),
        ("a==1\nno requirement at all\n", []),
        ("-e git+https://a.example/x@main#egg=x\n", ["MCP-DEP-006"]),
        ("x @ https://a.example/x-1.0-py3-none-any.whl\n", ["MCP-DEP-006"]),
        ("-e .\n", []),
    ],
)
def test_what_is_moving_beside_the_lock_is_found(text, known, scan_lock):
    result = scan_lock(**{"docs/requirements.txt": text})

    assert ids(result) == known
    for found in result.findings:
        assert found.path == "docs/requirements.txt"
        assert found.severity is Severity.MEDIUM


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("index-url = http://host/simple", Severity.HIGH),
        ("extra-index-url=https://host/simple", Severity.HIGH),
        ("trusted-host = host", Severity.HIGH),
        ("index-url = https://host/simple", None),
    ],
)
def test_a_setting_of_pips_is_judged(text, severity, scan_lock):
    result = scan_lock(**{"pip.conf": f"[global]\n{text}\n"})

    wanted = [("MCP-DEP-012", "pip.conf", severity)] if severity else []
    assert [(f.id, f.path, f.severity) for f in result.findings] == wanted


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("reqeusts", "requests"),
        ("request", "requests"),
        ("urlib3", "urllib3"),
        ("djnago", "django"),
        ("fast-mcp", "fastmcp"),
        ("pythondateutil", "python-dateutil"),
        ("numpi", "numpy"),
        ("httpx2", ""),
        ("scapy", ""),
        ("mcp", ""),
        ("attrs", ""),
        ("types-requests", ""),
        ("requests-cache", ""),
    ],
)
def test_a_name_one_slip_away_is_mistaken_for_another(name, known):
    assert mistaken_for(name) == known


SOURCES = {
    "git": (
        "MCP-DEP-006",
        '[tool.uv.sources]\ndemo = { git = "https://h/d" }',
    ),
    "path": ("MCP-DEP-006", '[tool.uv.sources]\ndemo = { path = "../demo" }'),
    "override": (
        "MCP-DEP-002",
        '[tool.uv]\noverride-dependencies = ["h11==2"]',
    ),
    "prerelease": ("MCP-DEP-012", '[tool.uv]\nprerelease = "allow"'),
    "index": ("MCP-DEP-012", '[[tool.uv.index]]\nurl = "http://host/simple"'),
    "extra-tls": (
        "MCP-DEP-012",
        '[tool.uv]\nextra-index-url = ["https://h/s"]',
    ),
    "extra": ("MCP-DEP-012", '[tool.uv]\nextra-index-url = ["http://h/s"]'),
    "backend": (
        "MCP-DEP-015",
        '[build-system]\nrequires = ["b @ git+https://host/b"]',
    ),
}


@pytest.mark.parametrize("way", SOURCES)
def test_what_pyproject_says_of_sources_is_judged(way, scan_lock):
    known, text = SOURCES[way]

    assert ids(scan_lock(**{"pyproject.toml": f"{PYPROJECT}\n{text}\n"})) == [
        known
    ]


def test_sources_that_are_no_fault_are_let_be(scan_lock):
    text = (
        '[build-system]\nrequires = ["b>=1,<2"]\n[tool.uv]\n'
        'prerelease = "if-necessary"\nindex-url = "http://localhost:8/simple"\n'
        "[tool.uv.sources]\ndemo = { workspace = true }\n"
    )

    assert ids(scan_lock(**{"pyproject.toml": f"{PYPROJECT}\n{text}"})) == []


@pytest.mark.parametrize(
    ("line", "severity"),
    [
        ("--extra-index-url https://host/simple", Severity.HIGH),
        ("--trusted-host host", Severity.HIGH),
        ("--index-url=http://host/simple", Severity.HIGH),
        ("--index-url https://host/simple", None),
    ],
)
def test_an_option_in_a_requirements_file_is_judged(line, severity, scan_lock):
    found = scan_lock(**{"requirements-dev.txt": f"{line}\n"}).findings

    assert [f.severity for f in found] == [severity] * bool(severity)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('allow-insecure-host = ["host"]\n', [1]),
        ('[pip]\nindex-strategy = "unsafe-first-match"\n', [2]),
        ('index-strategy = "first-index"\nallow-insecure-host = []\n', []),
        ("no TOML", []),
    ],
)
def test_a_file_of_uv_s_own_is_read_too(text, lines, scan_lock):
    found = scan_lock(**{"uv.toml": text}).findings

    assert [(f.id, f.path, f.line) for f in found] == [
        ("MCP-DEP-012", "uv.toml", line) for line in lines
    ]


def test_a_sound_lock_has_no_finding(scan_lock):
    assert scan_lock().findings == ()


@pytest.mark.parametrize(
    "text",
    [
        '"demo == 1.0"',
        '"demo ~= 1.0"',
        '"demo <= 1.9"',
        "'demo[extra] >= 1, < 2 ; python_version > \"3\"'",
    ],
)
def test_each_way_to_bound_a_dependency_counts(text, scan_lock):
    pyproject = PYPROJECT.replace('"demo>=1,<2"', text)

    assert "MCP-DEP-005" not in ids(scan_lock(**{"pyproject.toml": pyproject}))


def test_extras_and_groups_are_compared_too(scan_lock):
    groups = (
        '\n[project.optional-dependencies]\nx = ["extra<3"]\n'
        '\n[dependency-groups]\nbase = ["tool<4"]\n'
        'dev = [{include-group = "base"}]\n'
    )
    wanted = PYPROJECT + groups
    extra = REQUIRES + ', { name = "extra", specifier = "<3" }'
    made = (
        f"requires-dist = [{extra}]\n[package.metadata.requires-dev]\n"
        'base = [{ name = "tool", specifier = "<4" }]\n'
        'dev = [{ name = "tool", specifier = "<4" }]\n'
    )
    lock = LOCK.replace(f"requires-dist = [{REQUIRES}]\n", made)

    assert (
        scan_lock(**{"pyproject.toml": wanted, "uv.lock": lock}).findings == ()
    )
    assert ids(scan_lock(**{"pyproject.toml": wanted})) == ["MCP-DEP-002"]


@pytest.mark.parametrize(
    ("asked", "made"),
    [
        (
            '[tool.uv]\ndev-dependencies = ["tool<4"]\n',
            f"requires-dist = [{REQUIRES}]\n[package.metadata.requires-dev]\n"
            'dev = [{ name = "tool", specifier = "<4" }]\n',
        ),
        (
            '[tool.uv.sources]\ndemo = { git = "https://host/demo" }\n',
            'requires-dist = [{ name = "demo", git = "https://host/demo" }]\n',
        ),
    ],
    ids=["dev-dependencies", "a source of its own"],
)
def test_what_uv_locks_otherwise_is_no_mismatch(asked, made, scan_lock):
    lock = LOCK.replace(f"requires-dist = [{REQUIRES}]\n", made)
    files = {"pyproject.toml": f"{PYPROJECT}\n{asked}", "uv.lock": lock}

    assert "MCP-DEP-002" not in ids(scan_lock(**files))


# As uv has them in a lock.
PYTHONS = {
    "~=3.11": ">=3.11, <4",
    "~=3.11.2": ">=3.11.2, <3.12",
    "~=3.13.0": "==3.13.*",
    "==3.*": ">=3, <4",
    ">=3.13,<3.14": "==3.13.*",
    "===3.13.0": "==3.13.0",
    ">= 3.11 , != 3.12.*": ">=3.11, !=3.12.*",
    ">=3.11,>=3.12,<4,<3.14": ">=3.12, <3.14",
    ">=3.11,<=3.13": ">=3.11, <=3.13",
    ">3.10": ">3.10",
    ">=3.11.0": ">=3.11",
}


@pytest.mark.parametrize("asked", PYTHONS)
def test_the_same_pythons_in_other_words_are_no_mismatch(asked, scan_lock):
    files = {
        "pyproject.toml": PYPROJECT.replace(">=3.11", asked),
        "uv.lock": LOCK.replace(">=3.11", PYTHONS[asked], 1),
    }

    assert ids(scan_lock(**files)) == []


@pytest.mark.parametrize(
    ("asked", "made"),
    [
        ("~=3.11", ">=3.11, <3.12"),
        ("~=3.11.2", ">=3.11, <3.12"),
        (">=3.11,!=3.12.1", ">=3.11"),
        (">=3.11,<=3.13", ">=3.11, <3.13"),
        (">=3.11,!=3.12.99", ">=3.11"),
        ("==3.13.*", "==3.13.0"),
        (">=3.11", ""),
        ("3.11", ">=3.11"),
    ],
)
def test_other_pythons_are_a_mismatch(asked, made, scan_lock):
    files = {
        "pyproject.toml": PYPROJECT.replace(">=3.11", asked),
        "uv.lock": LOCK.replace(">=3.11", made, 1),
    }

    assert ids(scan_lock(**files)) == ["MCP-DEP-002"]


@pytest.mark.parametrize("bounds", ["~=1.0", "==1.*", "!=1.5,<=1.9", "===1.0"])
def test_each_operator_is_compared_as_the_lock_has_it(bounds, scan_lock):
    files = {
        "pyproject.toml": PYPROJECT.replace(">=1,<2", f" {bounds}"),
        "uv.lock": LOCK.replace(">=1,<2", bounds),
    }
    assert "MCP-DEP-002" not in ids(scan_lock(**files))
    files["uv.lock"] = LOCK.replace(">=1,<2", bounds.replace("1", "2"))
    assert "MCP-DEP-002" in ids(scan_lock(**files))


def test_another_mismatch_is_another_finding(scan_lock):
    locks = [LOCK.replace(">=1,<2", f">=1,<{n}") for n in (3, 4)]
    found = [scan_lock(**{"uv.lock": lock}).findings[0] for lock in locks]

    assert found[0].fingerprint != found[1].fingerprint


@pytest.mark.parametrize(
    "files",
    [
        lambda host: {
            "uv.lock": osv.lock(
                osv.package("demo", source=f'{{ git = "https://{host}#0" }}'),
                requires=REQUIRES,
            )
        },
        lambda host: {
            "pyproject.toml": f"{PYPROJECT}\n[tool.uv.sources]\n"
            f'demo = {{ git = "https://{host}" }}\n'
        },
    ],
    ids=["in the lock", "in pyproject.toml"],
)
def test_another_commit_or_address_is_another_finding(files, scan_lock):
    found = [scan_lock(**files(host)).findings[0] for host in ("good", "evil")]

    assert {f.id for f in found} == {"MCP-DEP-006"}
    assert found[0].fingerprint != found[1].fingerprint


def test_all_unbounded_libraries_are_one_finding(scan_lock):
    wanted = PYPROJECT.replace('"demo>=1,<2"', '"demo>=1", "h11"')
    made = '{ name = "demo", specifier = ">=1" }, { name = "h11" }'
    lock = LOCK.replace(REQUIRES, made)
    (found,) = scan_lock(
        **{"pyproject.toml": wanted, "uv.lock": lock}
    ).findings

    assert (found.id, found.severity) == ("MCP-DEP-005", Severity.LOW)
    assert "demo>=1, h11" in found.message


def test_every_rule_of_the_lock_is_tried_here():
    tried = {f"MCP-DEP-{n[:3]}" for n in [*RULES_OF_LOCKS, "009", "010"]}
    there = {i for i in RULES if i.startswith("MCP-DEP-") and RULES[i].find}

    assert tried == there
