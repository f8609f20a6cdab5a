"""The generated manifests against the schemas that Kubernetes publishes."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from template import render, rendered_texts

VERSION = "1.37"
#: Of the Gateway API and the Prometheus operator, which publish their own.
FOREIGN = {"HTTPRoute", "PrometheusRule", "ServiceMonitor"}
OVERLAYS = ("development", "production")


@pytest.fixture(scope="module", params=["bearer", "jwt"])
def manifests(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder of the manifests, for each way to prove who calls."""
    project = render(
        tmp_path_factory.mktemp("manifests"),
        deployment="kubernetes",
        transport="http",
        auth=request.param,
    )
    return project / "deploy/kubernetes"


def judge(text: str) -> Iterator[str]:
    """Yield the kind of each manifest that its schema takes."""
    for manifest in filter(None, yaml.safe_load_all(text)):
        if manifest["kind"] not in FOREIGN:
            kubernetes_validate.validate(manifest, VERSION, strict=True)
        yield manifest["kind"]


def test_each_manifest_is_what_its_schema_says(manifests: Path) -> None:
    kinds = {
        kind
        for path in manifests.rglob("*.yaml")
        if path.name != "kustomization.yaml"
        for kind in judge(path.read_text("utf-8"))
    }

    assert kinds >= FOREIGN | {"Deployment", "NetworkPolicy"}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_each_overlay_renders_to_what_its_schemas_say(
    manifests: Path, overlay: str
) -> None:
    kubectl = shutil.which("kubectl")
    if not kubectl:
        pytest.skip("kubectl is not installed")
    done = subprocess.run(
        [kubectl, "kustomize", manifests / "overlays" / overlay],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )

    assert {"ConfigMap", "Deployment"} <= set(judge(done.stdout))


@pytest.mark.parametrize(
    ("key", "value"),
    [("replicas", "two"), ("replica", 2), ("selector", None)],
    ids=["wrong type", "wrong name", "missing"],
)
def test_a_fault_in_a_manifest_is_found(
    manifests: Path, key: str, value: object
) -> None:
    text = (manifests / "base/server.yaml").read_text("utf-8")
    documents: list[dict[str, Any]] = list(yaml.safe_load_all(text))
    spec = next(d for d in documents if d["kind"] == "Deployment")["spec"]
    if value:
        spec[key] = value
    else:
        del spec[key]

    with pytest.raises(kubernetes_validate.ValidationError):
        list(judge(yaml.safe_dump_all(documents)))


@pytest.mark.parametrize(
    ("path", "home", "bound"),
    [
        ("/workspace", "yes", None),
        ("/home/me/notes", "tmpfs", '"/home/me/notes"'),
        ("/homes/notes", "yes", None),
    ],
)
def test_the_unit_binds_a_workspace_that_lies_below_a_home(
    path: str, home: str, bound: str | None
) -> None:
    name = "deploy/systemd/{{cookiecutter.project_slug}}.service"
    unit = rendered_texts(workspace_path=path)[name].splitlines()
    settings = dict(line.split("=", 1) for line in unit if "=" in line)

    assert settings["ProtectHome"] == home
    assert settings.get("BindPaths") == bound
    assert settings["ReadWritePaths"] == f'"{path}"'
