import pytest

from scanner.checks import container
from tests.scanner.kubernetes_cases import POD, POLICY
from tests.scanner.small import SECRET

BASE = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
PLAIN = POD + POLICY
PATCH = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: server}
spec:
  template:
    spec:
      containers:
        - name: server
"""


@pytest.fixture
def found(make_project, options, bench):
    """The rules that fire in each file under deploy."""

    def check(**files):
        named = {f"deploy/{path}": text for path, text in files.items()}
        result = container.check(make_project(**named), options)
        assert not result.coverage.partial, result.reason
        return {
            (f.id.removeprefix("MCP-CON-"), f.path.removeprefix("deploy/"))
            for f in result.findings
        }

    return check


def overlay(rest):
    return {
        "base/server.yaml": PLAIN,
        "base/kustomization.yaml": BASE + "resources: [server.yaml]\n",
        "prod/kustomization.yaml": BASE + "resources: [../base]\n" + rest,
    }


WAYS = {
    "patches": "patches: [{path: part.yaml}]\n",
    "old": "patchesStrategicMerge: [part.yaml]\n",
    "json": "patchesJson6902: [{path: part.yaml, target: {kind: Job} }]\n",
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_a_patch_need_not_say_it_all(found, way):
    more = "          env: [{name: A, value: b}]\n"
    assert found(**overlay(way), **{"prod/part.yaml": PATCH + more}) == set()


@pytest.mark.parametrize(
    ("lines", "rule"),
    [
        ("          securityContext: {privileged: true}\n", "201"),
        ("          securityContext: {runAsUser: 0}\n", "210"),
        ("          image: a:latest\n", "215"),
        ("      hostNetwork: true\n", "204"),
        (
            "          securityContext: {allowPrivilegeEscalation: true}\n",
            "208",
        ),
    ],
)
def test_a_patch_may_not_loosen_what_it_patches(found, lines, rule):
    files = {**overlay(WAYS["patches"]), "prod/part.yaml": PATCH + lines}
    assert found(**files) == {(rule, "prod/part.yaml")}


def test_what_is_applied_is_judged_whole_though_another_calls_it_a_patch(
    found,
):
    files = overlay("") | {"base/server.yaml": PATCH}
    other = BASE + "patches: [{path: ../base/server.yaml}]\n"
    alone = found(**files)
    assert len(alone) > 5
    assert found(**files, **{"unused/kustomization.yaml": other}) == alone


def test_without_the_kustomization_a_part_is_judged_whole(found):
    assert len(found(**{"part.yaml": PATCH})) > 5


@pytest.mark.parametrize(
    ("patch", "rule"),
    [
        (PATCH + "      hostPID: true\n", "204"),
        (
            "- op: add\n  path: /spec/template/spec/hostPID\n  value: true\n",
            "204",
        ),
        (
            PATCH.partition("      containers:")[0]
            + "      securityContext: {runAsUser: 0}\n",
            "210",
        ),
        (
            "- op: add\n  path: /spec/template/spec/containers/0/"
            "securityContext/privileged\n  value: true\n",
            "201",
        ),
    ],
)
def test_patches_in_the_kustomization_are_judged_too(found, patch, rule):
    lines = "".join(f"      {line}\n" for line in patch.splitlines())
    rest = "patches:\n  - target: {kind: Deployment}\n    patch: |-\n" + lines
    assert found(**overlay(rest)) == {(rule, "prod/kustomization.yaml")}


def test_json_operations_in_a_file_are_judged_too(found):
    text = "- {op: add, path: /spec/template/spec/hostPID, value: true}\n"
    files = {**overlay(WAYS["patches"]), "prod/part.yaml": text}
    assert found(**files) == {("204", "prod/part.yaml")}


REMOVED = """\
- op: remove
  path: /spec/template/spec/containers/0/securityContext
"""


@pytest.mark.parametrize(
    ("patch", "rules"),
    [
        (REMOVED, {("232", "prod/kustomization.yaml")}),
        (
            REMOVED.replace("securityContext", "resources/limits"),
            {("232", "prod/kustomization.yaml")},
        ),
        (
            "$patch: delete\napiVersion: v1\nkind: NetworkPolicy\n"
            "metadata: {name: server}\n",
            {("232", "prod/kustomization.yaml")},
        ),
        (
            PATCH + "          securityContext: null\n",
            {("232", "prod/kustomization.yaml")},
        ),
        (REMOVED.replace("securityContext", "env"), set()),
        (REMOVED.replace("op: remove", "op: test"), set()),
    ],
    ids=["context", "limits", "policy", "null", "env", "test"],
)
def test_a_patch_may_not_take_a_protection_away(found, patch, rules):
    lines = "".join(f"      {line}\n" for line in patch.splitlines())
    rest = "patches:\n  - target: {kind: Deployment}\n    patch: |-\n" + lines
    assert found(**overlay(rest)) == rules


def test_a_protection_taken_away_by_a_file_is_found_there(found):
    files = {**overlay(WAYS["patches"]), "prod/part.yaml": REMOVED}
    assert found(**files) == {("232", "prod/part.yaml")}


def test_a_namespace_that_an_overlay_gives_counts(found):
    files = overlay("namespace: mcp\n")
    files["base/server.yaml"] = PLAIN.replace(", namespace: mcp", "")
    assert found(**files) == set()
    files = overlay("")
    files["base/server.yaml"] = PLAIN.replace(", namespace: mcp", "")
    assert found(**files) == {("220", "base/server.yaml")}


def test_a_tag_that_an_overlay_gives_counts(found):
    image = "images: [{name: ghcr.io/example/server, newTag: 1.2.3}]\n"
    files = overlay(image)
    files["base/server.yaml"] = PLAIN.replace("server:1.2.3", "server")
    assert found(**files) == set()


@pytest.mark.parametrize(
    "rest",
    [
        "images: [{name: a, newTag: latest}]\n",
        "bases: ['https://example.com/a//b']\n",
        "resources: ['https://example.com/a//b?ref=main']\n",
        "resources: [github.com/example/a//b]\n",
        "secretGenerator: [{name: a, literals: [b=" + SECRET + "]}]\n",
        "configMapGenerator: [{name: a, literals: [API_TOKEN="
        + SECRET
        + "]}]\n",
    ],
    ids=["tag", "base", "branch", "short", "secret", "map"],
)
def test_a_loose_kustomization_is_found(found, rest):
    assert found(**overlay(rest)) == {("224", "prod/kustomization.yaml")}


@pytest.mark.parametrize(
    "rest",
    [
        "images: [{name: a, newTag: latest, digest: 'sha256:0'}]\n",
        "bases: ['https://example.com/a//b?ref=v1.2.3']\n",
        "secretGenerator: [{name: a, envs: [b.env]}]\n",
    ],
    ids=["digest", "ref", "file"],
)
def test_a_tight_one_is_none(found, rest):
    assert found(**overlay(rest)) == set()


def test_a_list_is_judged_by_its_items(found):
    item = POD.replace("\n", "\n    ")
    text = f"apiVersion: v1\nkind: List\nitems:\n  - {item}"
    rules = {rule for rule, _path in found(**{"a.yaml": text})}
    assert rules == {"219"}
