from typing import Any

from cortex_server.manifest import (
    Manifest,
    PostPredict,
    PredictorModule,
    PredictorPickle,
)

IN_FILE = PredictorModule(module="app", qualname="P")


def from_notebook(identity: str) -> PredictorPickle:
    return PredictorPickle(identity=identity, qualname="P")


def identity(predictor: Any, *hooks: Any) -> str | None:
    options = PostPredict(hooks=hooks)
    return Manifest(
        name="p", bundle="0", predictor=predictor, post_predict=options
    ).by_value


def test_what_is_in_files_has_no_identity() -> None:
    assert identity(IN_FILE, IN_FILE) is None


def test_one_thing_from_a_notebook_has_its_own() -> None:
    assert identity(from_notebook("a")) == identity(IN_FILE, from_notebook("a")) == "a"


def test_several_have_one_together() -> None:
    together = identity(from_notebook("a"), from_notebook("b"))

    assert together == identity(from_notebook("a"), IN_FILE, from_notebook("b"))
    assert together not in (identity(from_notebook("b"), from_notebook("a")), "a", "b")
