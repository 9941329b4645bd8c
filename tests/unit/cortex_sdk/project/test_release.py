import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cortex_sdk import SyncAPI
from cortex_sdk.project.environment import keyed_hash
from cortex_sdk.project.release import project_root, release_of
from cortex_server.manifest import (
    Batching,
    Cors,
    Manifest,
    Models,
    Monitoring,
    PostPredict,
    PredictorModule,
    PredictorPickle,
    Resources,
)

KEY = b"k" * 32
APP = """\
class Iris:
    def predict(self, payload):
        return 1

    def predict_batch(self, payload):
        return [1] * len(payload)

class Other(Iris):
    def post_predict(self): ...

class Together:
    def predict(self, payload: list):
        return payload

def record(response): ...

def count(): ...
"""


@pytest.fixture
def iris(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type]:
    """A predictor in a project of its own."""
    (tmp_path / "src").mkdir()
    (tmp_path / "iris_app.py").write_text(APP)
    (tmp_path / "requirements.txt").write_text("numpy  # arrays\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv("CORTEX_BUNDLE_LIMIT", raising=False)
    yield importlib.import_module("iris_app").Iris
    del sys.modules["iris_app"]


def revision(predictor: object, **fields: Any) -> str:
    return release_of(SyncAPI(predictor, **fields), KEY).manifest.revision


@pytest.mark.parametrize(
    "fields",
    [
        {"autoscaling": {"min_replicas": 2, "max_replicas": 5, "init_replicas": 3}},
        {"autoscaling": {"window": 10, "target_replica_concurrency": 4}},
        {"autoscaling": {"downscale_stabilization_period": 1, "upscale_tolerance": 1}},
        {"networking": {"endpoint": "/v1/other"}},
        {"update_strategy": {"max_surge": 1, "max_unavailable": 0}},
        {"idempotent": True},
        {"auth": {}},
        {"project": "."},
        {"name": "iris", "timeout": "10m", "requirements": [], "config": {}},
    ],
    ids=",".join,
)
def test_what_a_replica_need_not_know_is_no_new_revision(
    iris: type, fields: dict[str, Any]
) -> None:
    (project_root(SyncAPI(iris)) / ".api-keys").write_text("k" * 16)
    if "project" in fields:
        fields = {
            "project": str(Path(sys.modules[iris.__module__].__file__ or "").parent)
        }

    assert revision(iris, **fields) == revision(iris)


def test_only_processes_beside_each_other_are_told_what_may_run_again(
    iris: type,
) -> None:
    several = {"processes_per_replica": 2}

    assert revision(iris, **several, idempotent=True) != revision(iris, **several)


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "other"},
        {"config": {"a": 1}},
        {"env": {"A": "1"}},
        {"secrets": {"A": "1"}},
        {"requirements": ["numpy"]},
        {"python_path": "src"},
        {"log_level": "debug"},
        {"log_requests": 0.5},
        {"log_slow": "1s"},
        {"processes_per_replica": 2},
        {"threads_per_process": 2},
        {"timeout": 599},
        {"batching": {"max_batch_size": 2, "batch_interval": 1}},
        {"autoscaling": {"max_replica_concurrency": 1023}},
        {"compute": {"cpu": 1}},
        {"compute": {"mem": "1Gi"}},
        {"compute": {"gpu": 1}},
        {"compute": {"inf": 1}},
        {"monitoring": {"model_type": "regression"}},
    ],
    ids=str,
)
def test_what_a_replica_is_told_is_a_new_revision(
    iris: type, fields: dict[str, Any]
) -> None:
    assert revision(iris, **fields) != revision(iris)


def test_what_is_monitored_is_told_to_the_replica(iris: type) -> None:
    api = SyncAPI(iris, monitoring={"model_type": "classification", "key": "label"})

    assert release_of(api, KEY).manifest.monitoring == Monitoring(
        model_type="classification", key="label"
    )


def test_another_batch_size_is_a_new_revision(iris: type) -> None:
    interval = {"batch_interval": 1}
    two, three = (
        revision(iris, batching={"max_batch_size": size, **interval}) for size in (2, 3)
    )

    assert two != three


def test_hooks_and_their_options_are_told_to_the_replica(iris: type) -> None:
    module = sys.modules[iris.__module__]
    options = {
        "workers": 2,
        "queue": 3,
        "when_full": "wait",
        "timeout": "1m",
        "retries": 4,
        "drain": 5,
    }
    api = SyncAPI(
        iris, post_predict={"hooks": [module.count, module.record], **options}
    )

    release = release_of(api, KEY)

    hooks = tuple(
        PredictorModule(module="iris_app", qualname=name)
        for name in ("count", "record")
    )
    assert release.manifest.post_predict == PostPredict(
        hooks=hooks, workers=2, queue=3, when_full="wait", timeout=60.0, retries=4
    )
    assert release.manifest.hook_drain == 5
    assert release.pickle() is release.manifest.by_value is None


def test_other_hooks_are_a_new_revision(iris: type) -> None:
    module = sys.modules[iris.__module__]
    count, record = module.count, module.record

    revisions = {
        revision(iris, post_predict=hooks)
        for hooks in ((), count, record, [count, record], [record, count])
    }

    assert len(revisions) == 5
    assert revision(iris, post_predict=[count]) in revisions


def test_options_for_the_method_are_a_new_revision(iris: type) -> None:
    other = sys.modules[iris.__module__].Other

    assert revision(other, post_predict={"drain": 1}) != revision(other)


def test_another_class_is_a_new_revision(iris: type, tmp_path: Path) -> None:
    other = revision("iris_app:Other", name="iris", project=str(tmp_path))

    assert other != revision(iris)


def test_a_class_by_name_is_the_same_revision_as_the_class(
    iris: type, tmp_path: Path
) -> None:
    assert revision("iris_app:Iris", project=str(tmp_path)) == revision(iris)


def test_a_changed_file_is_a_new_revision(iris: type, tmp_path: Path) -> None:
    before = revision(iris)
    (tmp_path / "data.txt").write_text("x")

    assert revision(iris) != before


def test_a_changed_dotenv_is_a_new_revision(iris: type, tmp_path: Path) -> None:
    revisions = [revision(iris)]
    for text in ("A=1", "A=2", "B=2", "# nothing"):
        (tmp_path / ".env").write_text(text)
        revisions.append(revision(iris))

    assert len(set(revisions)) == 4
    assert revisions[0] == revisions[-1]


def test_a_requirements_file_is_the_same_as_its_lines(iris: type) -> None:
    in_file = release_of(SyncAPI(iris, requirements="requirements.txt"), KEY)

    assert in_file.manifest.requirements == ("numpy",)
    assert in_file.manifest.revision == revision(iris, requirements=["numpy "])


def test_api_keys_are_shown_nowhere_and_are_in_no_part_that_travels(
    iris: type, tmp_path: Path
) -> None:
    (tmp_path / ".api-keys").write_text("s3cret-0123456789")
    api = SyncAPI(iris, auth={})

    release = release_of(api, KEY)

    assert release.keys == ("s3cret-0123456789",)
    for shown in (api, api._repr_html_(), release, release.manifest.json()):
        assert "s3cret" not in repr(shown)
    assert ".api-keys" not in release.bundle.files


def test_secrets_win_over_dotenv_and_stand_nowhere_in_the_manifest(
    iris: type, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("A=from-dotenv\nB=from-dotenv")

    release = release_of(SyncAPI(iris, secrets={"A": "s3cret"}), KEY)

    assert release.secrets == {"A": "s3cret", "B": "from-dotenv"}
    assert release.manifest.secrets == keyed_hash(release.secrets, KEY)
    for text in (repr(release), str(release.manifest.json())):
        assert "s3cret" not in text
        assert "from-dotenv" not in text
    assert ".env" not in release.bundle.files


def test_a_release_knows_its_project(iris: type, tmp_path: Path) -> None:
    api = SyncAPI(iris)

    release = release_of(api, KEY)

    assert release.source.root == project_root(api) == tmp_path
    assert release.bundle.files == ("iris_app.py", "requirements.txt")


MANIFEST = Manifest(
    name="iris",
    bundle="0" * 64,
    predictor=PredictorModule(module="app", qualname="Iris"),
)
OTHER: dict[str, Any] = {
    "name": "other",
    "bundle": "1" * 64,
    "predictor": PredictorPickle(identity="0" * 64, qualname="Iris"),
    "python": "3.99",
    "python_path": "src",
    "requirements": ("numpy",),
    "config": {"a": 1},
    "env": {"A": "1"},
    "secrets": "0" * 64,
    "log_level": "error",
    "log_requests": 0.5,
    "log_slow": 1.0,
    "processes_per_replica": 2,
    "idempotent": True,
    "threads_per_process": 2,
    "max_replica_concurrency": 2,
    "timeout": 1.0,
    "max_body_size": 1,
    "post_predict": PostPredict(workers=1),
    "hook_drain": 1.0,
    "batching": Batching(max_batch_size=2, batch_interval=1.0),
    "models": Models(dir="models"),
    "compute": Resources(cpu=1.0),
    "cors": Cors(),
    "monitoring": Monitoring(model_type="regression"),
}


def test_every_field_of_a_manifest_is_part_of_the_revision() -> None:
    assert {"format", *OTHER} == set(Manifest.__struct_fields__)

    revisions = {
        replace(MANIFEST, **{field: value}).revision for field, value in OTHER.items()
    }

    assert len(revisions - {MANIFEST.revision}) == len(OTHER)


def test_a_revision_is_the_same_on_both_sides_of_the_wire(tmp_path: Path) -> None:
    manifest = Manifest(**{"format": 1, **OTHER})
    path = tmp_path / "manifest.json"
    path.write_bytes(manifest.json())

    assert Manifest.read(path) == manifest
    assert Manifest.read(path).revision == manifest.revision
