"""The manifests of a platform, as its projects release them, made from their sources.

What differs from a release: images are never pulled again, since a test cluster has
them already and no registry to ask.
"""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from e2e.toolchain import build, cache, tools
from e2e.toolchain.build import Say

GATEWAY_API = "gateway-api.yaml"
ENVOY_GATEWAY = "envoy-gateway.yaml"
KEDA = "keda.yaml"
GATEWAY_NAMESPACE = "envoy-gateway-system"


def ensure(say: Say = print) -> dict[str, Path]:
    """Manifests by file name, rendered first where they are missing.

    Raises:
        Unavailable: If a tool or a source of them cannot be had.
    """
    made_by = (tools.KUBERNETES, tools.HELM, tools.ENVOY_GATEWAY, tools.KEDA)
    key = cache.digest(Path(__file__), *(str(tool.home) for tool in made_by))
    kept = cache.root() / f"manifests-{key}"
    with cache.alone("manifests"):
        if not kept.exists():
            say("manifests: rendering")
            _render_all(kept, say)
    return {name: kept / name for name in (GATEWAY_API, ENVOY_GATEWAY, KEDA)}


def _render_all(kept: Path, say: Say) -> None:
    binaries = build.ensure((tools.KUBERNETES, tools.HELM), say)
    kubectl = binaries["kube"].with_name("kubectl")
    with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
        done = Path(scratch) / "done"
        done.mkdir()
        (done / GATEWAY_API).write_text(_gateway_api(kubectl))
        gateway = _envoy_gateway(binaries["helm"], Path(scratch))
        (done / ENVOY_GATEWAY).write_text(gateway)
        (done / KEDA).write_text(_keda(kubectl, Path(scratch)))
        done.rename(kept)


def _gateway_api(kubectl: Path) -> str:
    source = build.source(tools.ENVOY_GATEWAY, "sigs.k8s.io/gateway-api")
    return _output(str(kubectl), "kustomize", str(source / "config" / "crd"))


def _envoy_gateway(helm: Path, scratch: Path) -> str:
    source = build.source(tools.ENVOY_GATEWAY, tools.ENVOY_GATEWAY.module)
    chart = _writable(source / "charts" / "gateway-helm", scratch / "chart")
    template = (chart / "values.tmpl.yaml").read_text()
    image = f"docker.io/envoyproxy/gateway:v{tools.ENVOY_GATEWAY.version}"
    values = template.replace("${GatewayImage}", image)
    values = values.replace("${GatewayImagePullPolicy}", "IfNotPresent")
    (chart / "values.yaml").write_text(values)
    options = ("--namespace", GATEWAY_NAMESPACE, "--include-crds")
    created = ("--set", "createNamespace=true")
    return _output(str(helm), "template", "eg", str(chart), *options, *created)


def _keda(kubectl: Path, scratch: Path) -> str:
    source = build.source(tools.KEDA, tools.KEDA.module)
    config = _writable(source / "config", scratch / "config")
    version = tools.KEDA.version
    labels = config / "default" / "kustomize-config" / "metadataLabelTransformer.yaml"
    named = re.sub(r"version: main", f"version: {version}", labels.read_text())
    labels.write_text(named)
    text = _output(str(kubectl), "kustomize", str(config / "default"))
    text = re.sub(r"(image: ghcr.io/kedacore/[\w-]+):\S+", rf"\1:{version}", text)
    return text.replace("imagePullPolicy: Always", "imagePullPolicy: IfNotPresent")


def _writable(source: Path, target: Path) -> Path:
    """A copy of a part of the module cache, which is read-only."""
    shutil.copytree(source, target)
    for path in (target, *target.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)
    return target


def _output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
    return done.stdout
