"""The manifests: what a cluster is asked to run, and to keep apart."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from {{ cookiecutter.__package_name }}.environment import KNOWN
from tests.deploy.running import DEPLOY, PROJECT, documents, program, run

KUBERNETES = DEPLOY / "kubernetes"
OVERLAYS = sorted((KUBERNETES / "overlays").iterdir())
FILES = sorted(KUBERNETES.rglob("*.yaml"))


def manifests(kind: str) -> Iterator[dict[str, Any]]:
    for path in FILES:
        yield from (d for d in documents(path) if d["kind"] == kind)


DEPLOYMENT = next(manifests("Deployment"))
POD = DEPLOYMENT["spec"]["template"]["spec"]
CONTAINER = POD["containers"][0]


def test_no_secret_is_written_down() -> None:
    assert list(manifests("Secret")) == []


def test_the_namespace_enforces_the_restricted_standard() -> None:
    labels = next(manifests("Namespace"))["metadata"]["labels"]

    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_the_pod_meets_the_restricted_standard() -> None:
    of_pod, of_container = POD["securityContext"], CONTAINER["securityContext"]

    assert of_pod["runAsNonRoot"] is True
    assert of_pod["runAsUser"] == 10001
    assert of_pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert of_container["allowPrivilegeEscalation"] is False
    assert of_container["readOnlyRootFilesystem"] is True
    assert of_container["capabilities"] == {"drop": ["ALL"]}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & POD.keys()


def test_the_pod_has_no_key_to_the_cluster() -> None:
    account = next(manifests("ServiceAccount"))

    assert account["automountServiceAccountToken"] is False
    assert POD["automountServiceAccountToken"] is False


def test_the_pod_is_bounded_and_probed() -> None:
    assert CONTAINER["resources"]["limits"].keys() >= {"cpu", "memory"}
    assert CONTAINER["livenessProbe"]["httpGet"]["path"] == "/health"
    assert CONTAINER["readinessProbe"]["httpGet"]["path"] == "/ready"


def test_one_replica_can_always_be_taken_away() -> None:
    budget = next(manifests("PodDisruptionBudget"))
    scaler = next(manifests("HorizontalPodAutoscaler"))

    assert scaler["spec"]["minReplicas"] >= 2
    assert scaler["spec"]["minReplicas"] > budget["spec"]["minAvailable"]


def test_what_no_policy_names_is_denied() -> None:
    policies = {
        p["metadata"]["name"]: p["spec"] for p in manifests("NetworkPolicy")
    }

    assert policies["default-deny"] == {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
    }
    for rule in policies["server"]["ingress"]:
        assert rule["from"]
        assert rule["ports"]


def test_the_gateway_reaches_the_server_and_nobody_else_its_port() -> None:
    (route,) = manifests("HTTPRoute")
    (parent,) = route["spec"]["parentRefs"]
    (rule,) = route["spec"]["rules"]
    (backend,) = rule["backendRefs"]
    service = next(
        s
        for s in manifests("Service")
        if s["metadata"]["name"] == backend["name"]
    )
    policy = next(
        p["spec"]
        for p in manifests("NetworkPolicy")
        if p["metadata"]["name"] == "server"
    )
    admitted = [
        peer["namespaceSelector"]["matchLabels"]
        for entry in policy["ingress"]
        for peer in entry["from"]
        if {"port": 8080, "protocol": "TCP"} in entry["ports"]
    ]

    assert parent["sectionName"] == "https"
    assert backend["port"] in {p["port"] for p in service["spec"]["ports"]}
    # Of one namespace, where the Gateway's pods run: its own, by most.
    assert [{*labels} for labels in admitted] == [
        {"kubernetes.io/metadata.name"}
    ]


def test_only_what_clients_need_is_routed() -> None:
    (route,) = manifests("HTTPRoute")
    (rule,) = route["spec"]["rules"]
    paths = {match["path"]["value"] for match in rule["matches"]}

    assert "/mcp" in paths
    assert paths <= {"/mcp", "/.well-known/oauth-protected-resource"}


def test_the_server_reaches_no_private_network_but_for_its_store() -> None:
    policies = {
        p["metadata"]["name"]: p["spec"] for p in manifests("NetworkPolicy")
    }
    private = {
        *("10.0.0.0/8", "172.16.0.0/12"),
        *("192.168.0.0/16", "169.254.0.0/16"),
    }

    for rule in policies["server"]["egress"]:
        ports = {port["port"] for port in rule["ports"]}
        for peer in rule["to"]:
            if ports & {6379, 6380} or "ipBlock" not in peer:
                continue
            assert private <= set(peer["ipBlock"]["except"])


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.name)
def test_an_apply_leaves_the_number_of_replicas_to_the_autoscaler(
    overlay: Path,
) -> None:
    shown = list(yaml.safe_load_all(_rendered(overlay)))
    (deployment,) = (m for m in shown if m["kind"] == "Deployment")
    scalers = [m for m in shown if m["kind"] == "HorizontalPodAutoscaler"]

    assert "replicas" not in deployment["spec"]
    assert all(m["spec"]["minReplicas"] >= 2 for m in scalers)


def test_what_the_runbook_stops_it_starts() -> None:
    page = (PROJECT / "SECURITY.md").read_text("utf-8")
    stop, start = re.findall(r"scale deployment/server --replicas (\d+)", page)
    (production,) = (path for path in OVERLAYS if path.name == "production")
    shown = list(yaml.safe_load_all(_rendered(production)))
    (scaler,) = (m for m in shown if m["kind"] == "HorizontalPodAutoscaler")

    # At 0 the autoscaler rests, and an apply says nothing of a number.
    assert (stop, int(start)) == ("0", scaler["spec"]["minReplicas"])


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.name)
def test_a_full_workspace_does_not_evict_the_pod(overlay: Path) -> None:
    shown = list(yaml.safe_load_all(_rendered(overlay)))
    (deployment,) = (m for m in shown if m["kind"] == "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    limit = pod["containers"][0]["resources"]["limits"]["ephemeral-storage"]
    volumes = [v["emptyDir"] for v in pod["volumes"] if "emptyDir" in v]
    on_disk = [v["sizeLimit"] for v in volumes if v.get("medium") != "Memory"]

    assert _mebibytes(limit) > sum(map(_mebibytes, on_disk))


def test_the_server_knows_every_variable_that_it_is_given() -> None:
    for path in KUBERNETES.rglob("settings.env"):
        for line in path.read_text("utf-8").splitlines():
            assert line.partition("=")[0] in KNOWN
    assert {e["name"] for e in CONTAINER["env"]} <= KNOWN
    # Or Kubernetes adds MCP_… variables of its own, and the start is refused.
    assert POD["enableServiceLinks"] is False


def test_the_operator_gets_the_rules_that_prometheus_gets() -> None:
    rules = sorted((DEPLOY / "prometheus/rules").glob("*.yml"))
    groups = [g for path in rules for g in documents(path)[0]["groups"]]
    given = next(manifests("PrometheusRule"))["spec"]["groups"]

    assert sorted(given, key=str) == sorted(groups, key=str)


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.name)
def test_an_overlay_renders_to_the_manifests_of_one_namespace(
    overlay: Path,
) -> None:
    shown = list(yaml.safe_load_all(_rendered(overlay)))
    kinds = [manifest["kind"] for manifest in shown]
    namespaces = {m["metadata"].get("namespace") for m in shown}

    assert {"Deployment", "NetworkPolicy", "Service"} <= set(kinds)
    assert "Secret" not in kinds
    assert len(namespaces - {None}) == 1


def test_each_policy_still_selects_what_it_names_when_rendered() -> None:
    for overlay in OVERLAYS:
        shown = list(yaml.safe_load_all(_rendered(overlay)))
        pod = next(m for m in shown if m["kind"] == "Deployment")["spec"]
        labels = pod["template"]["metadata"]["labels"].items()
        policies = {
            m["metadata"]["name"]: m["spec"]
            for m in shown
            if m["kind"] == "NetworkPolicy"
        }
        server = policies["server"]
        names = server["egress"][0]["to"][0]["podSelector"]["matchLabels"]

        assert server["podSelector"]["matchLabels"].items() <= labels
        assert names == {"k8s-app": "kube-dns"}


def _mebibytes(size: str) -> int:
    number, unit = int(size[:-2]), size[-2:]
    return number * {"Mi": 1, "Gi": 1024}[unit]


def _rendered(overlay: Path) -> str:
    tool = program("kustomize", "kubectl")
    verb = "build" if tool.endswith("kustomize") else "kustomize"
    return run(tool, verb, overlay)
