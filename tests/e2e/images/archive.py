"""OCI archives, written without a daemon: layers are plain tar files."""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OCI = "application/vnd.oci.image"
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# By number: the kubelet cannot tell whether a name is root.
NOBODY = "65532:65532"


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What an archive says: its layers, lowest first, and how to run it."""

    reference: str
    layers: tuple[Path, ...]
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    user: str = NOBODY
    env: tuple[str, ...] = field(default=(PATH,))

    def config(self, diffs: list[str]) -> bytes:
        """The image configuration, given the digests of its layers."""
        run = {
            "User": self.user,
            "Env": list(self.env),
            "Entrypoint": list(self.entrypoint),
            "Cmd": list(self.command),
        }
        layers = {"type": "layers", "diff_ids": diffs}
        return _json(
            {"architecture": "amd64", "os": "linux", "config": run, "rootfs": layers}
        )


def write(image: Image, target: Path) -> None:
    """Write an archive of one image, which `ctr images import` loads by name."""
    layers = [_described(f"{OCI}.layer.v1.tar", path) for path in image.layers]
    config = image.config([layer["digest"] for layer in layers])
    described = _described(f"{OCI}.config.v1+json", config)
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": f"{OCI}.manifest.v1+json",
            "config": described,
            "layers": layers,
        }
    )
    top = _described(f"{OCI}.manifest.v1+json", manifest) | {
        "annotations": names(image.reference)
    }
    with tarfile.open(target, "w") as archive:
        _add(archive, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        _add(archive, "index.json", _json({"schemaVersion": 2, "manifests": [top]}))
        _add(archive, _blob(described), config)
        _add(archive, _blob(top), manifest)
        for path, layer in zip(image.layers, layers, strict=True):
            if _blob(layer) not in archive.getnames():
                archive.add(path, _blob(layer))


def names(reference: str) -> dict[str, str]:
    """The annotations by which containerd and others know an image's name."""
    return {
        "io.containerd.image.name": reference,
        "org.opencontainers.image.ref.name": reference.rpartition(":")[2],
    }


def layer(target: Path, files: Mapping[str, Path]) -> Path:
    """A layer of files for everybody to read and run, and a `/tmp`."""
    with tarfile.open(target, "w") as tar:
        shared = tarfile.TarInfo("tmp")
        shared.type, shared.mode = tarfile.DIRTYPE, 0o1777
        tar.addfile(shared)
        for name, path in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = path.stat().st_size, 0o755
            with path.open("rb") as file:
                tar.addfile(entry, file)
    return target


def _described(kind: str, content: bytes | Path) -> dict[str, Any]:
    if isinstance(content, bytes):
        digest, size = hashlib.sha256(content).hexdigest(), len(content)
    else:
        with content.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = content.stat().st_size
    return {"mediaType": kind, "digest": f"sha256:{digest}", "size": size}


def _blob(described: Mapping[str, Any]) -> str:
    return "blobs/" + str(described["digest"]).replace(":", "/")


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True).encode()
