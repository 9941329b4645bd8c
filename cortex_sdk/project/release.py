"""A declaration made concrete: its files packed, its manifest written.

This is what every target deploys, and what `cortex serve` runs.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cortex_sdk.declaration.built_in import BuiltIn
from cortex_sdk.project.bundle import Bundle, pack
from cortex_sdk.project.environment import keyed_hash, read_dotenv, requirement_lines
from cortex_sdk.project.hooks import hook_references
from cortex_sdk.project.keys import keys_file, read_keys
from cortex_sdk.project.models import models_of
from cortex_sdk.project.pickling import Thing, pickled
from cortex_sdk.project.source import Source, source_of
from cortex_server.manifest import (
    Batching,
    Cors,
    Manifest,
    Monitoring,
    PostPredict,
    PredictorPickle,
    Resources,
)

if TYPE_CHECKING:
    from cortex_sdk.declaration.sync_api import SyncAPI


@dataclass(frozen=True, slots=True)
class Release:
    """What one revision of an API consists of."""

    manifest: Manifest
    bundle: Bundle
    source: Source
    by_value: tuple[Thing, ...] = field(repr=False)
    """The class and the functions that no file holds."""
    secrets: dict[str, str] = field(repr=False)
    """Values of `.env` and `secrets`, which win; never part of the manifest."""
    keys: tuple[str, ...] | None = field(default=None, repr=False)
    """API keys, None where everybody may call; no part of the manifest either."""

    def pickle(self) -> bytes | None:
        """All that no file holds, None where there is nothing.

        Raises:
            InvalidSpecError: Something refers to what cannot be pickled.
        """
        return pickled(*self.by_value) if self.by_value else None


def release_of(api: "SyncAPI", key: bytes) -> Release:
    """Read the project of `api` and say exactly what would serve.

    Args:
        api: The declaration.
        key: Secret key of this user, so that the hash of a short secret in the
            manifest cannot be guessed by trying.

    Raises:
        InvalidSpecError: The project or something in it cannot be deployed.
    """
    source = source_of(api.predictor, api.project, api.python_path, api.folder)
    bundle = pack(source.root)
    secrets = read_dotenv(source.root) | api.secrets
    path = keys_file(api.auth, source.root)
    keys = read_keys(path, bundle) if path else None
    cors = api.networking.cors
    options = api.post_predict
    hooks = hook_references(options.hooks, source.root, api.python_path)
    models, config = api.models, api.config
    if isinstance(api.predictor, BuiltIn):
        models = api.predictor.models(api.models)
        config = api.predictor.options(models)
    manifest = Manifest(
        name=api.name,
        bundle=bundle.digest,
        predictor=source.reference,
        python_path=api.python_path,
        requirements=requirement_lines(api.requirements, source.root),
        config=config,
        env=api.env,
        secrets=keyed_hash(secrets, key) if secrets else None,
        log_level=api.log_level,
        log_requests=api.log_requests,
        log_slow=api.log_slow,
        processes_per_replica=api.processes_per_replica,
        threads_per_process=api.threads_per_process,
        max_replica_concurrency=api.autoscaling.max_replica_concurrency,
        max_body_size=api.max_body_size,
        timeout=api.timeout,
        # With one process, all that may be repeated is what the gateway repeats.
        idempotent=api.idempotent and api.processes_per_replica > 1,
        batching=Batching(**api.batching.model_dump()) if api.batching else None,
        models=models_of(models, bundle.files) if models else None,
        post_predict=PostPredict(
            hooks=tuple(hooks[each] for each in options.hooks),
            **options.model_dump(exclude={"hooks", "drain"}),
        ),
        hook_drain=options.drain,
        compute=Resources(**api.compute.model_dump()),
        cors=Cors(**cors.model_dump()) if cors else None,
        monitoring=_monitoring(api),
    )
    by_value: list[Thing] = [source.predictor] if source.predictor else []
    by_value += (f for f in options.hooks if isinstance(hooks[f], PredictorPickle))
    return Release(manifest, bundle, source, tuple(by_value), secrets, keys)


def _monitoring(api: "SyncAPI") -> Monitoring | None:
    return Monitoring(**api.monitoring.model_dump()) if api.monitoring else None


def project_root(api: "SyncAPI") -> Path:
    """The folder whose files the API takes along."""
    return source_of(api.predictor, api.project, api.python_path, api.folder).root
