from typing import Any

import pytest

from cortex_sdk import InvalidSpecError, PostPredict, SyncAPI


class Plain:
    def predict(self) -> int:
        return 1


class Following(Plain):
    def post_predict(self) -> None: ...


def record(response: object) -> None: ...


async def send(payload: object) -> None: ...


def refusal(value: Any) -> str:
    with pytest.raises(InvalidSpecError) as caught:
        SyncAPI(Plain, post_predict=value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("given", "hooks"),
    [
        (record, (record,)),
        ([record, send], (record, send)),
        ((send,), (send,)),
        ([], ()),
        (PostPredict(record), (record,)),
        (PostPredict([record, send]), (record, send)),
        (PostPredict(hooks=send), (send,)),
        ({"hooks": [record]}, (record,)),
    ],
)
def test_functions_are_given_alone_in_a_list_or_with_options(
    given: Any, hooks: tuple[Any, ...]
) -> None:
    assert SyncAPI(Plain, post_predict=given).post_predict == PostPredict(hooks)


def test_defaults() -> None:
    options = PostPredict()

    assert (options.hooks, options.workers, options.queue) == ((), 4, 1000)
    assert (options.when_full, options.timeout) == ("drop_new", 30)
    assert (options.retries, options.drain) == (0, 30)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (5, ".hooks`: a hook must be a function (`def` or `async def`), got 5"),
        ([record, "record"], ".hooks`: a hook must be a function"),
        (print, ".hooks`: a hook must be a function"),
        (Plain, ".hooks`: a hook must be a function"),
        (
            lambda answer: None,
            ".hooks`: `<lambda>` has an unknown argument `answer`; it may take",
        ),
        ({"workers": 0}, ".workers` must be at least 1, got 0"),
        ({"workers": 1001}, ".workers` must be at most 1000, got 1001"),
        ({"queue": 0}, ".queue` must be at least 1, got 0"),
        (
            {"when_full": "drop"},
            ".when_full` must be 'drop_new', 'drop_oldest' or 'wait', got 'drop'",
        ),
        ({"timeout": 0}, ".timeout` must be above 0, got 0"),
        ({"retries": -1}, ".retries` must be at least 0, got -1"),
        ({"drain": "-1"}, ".drain` must be a duration"),
        ({"worker": 2}, "` has no field `worker`; did you mean `workers`?"),
    ],
)
def test_what_is_wrong_is_named(value: Any, problem: str) -> None:
    assert refusal(value).startswith(f"`PostPredict{problem}")


def test_one_value_needs_no_name() -> None:
    with pytest.raises(InvalidSpecError, match="takes one value without a name"):
        PostPredict(record, send)  # type: ignore[call-arg]  # that is the claim


def test_options_need_something_to_run() -> None:
    assert refusal(PostPredict(workers=2)) == (
        "`SyncAPI`: post_predict has options but no hooks, and predictor `Plain` has no"
        " method `post_predict`"
    )
    for predictor in (Following, "app:Following"):  # a replica looks at the second
        SyncAPI(predictor, post_predict=PostPredict(workers=2))


def test_functions_are_shown_by_name() -> None:
    api = SyncAPI(Plain, post_predict=PostPredict(record, retries=2))

    assert "post_predict=PostPredict(hooks=[record], retries=2)" in repr(api)
    assert "<code>record</code>" in api._repr_html_()


def test_a_function_may_be_the_one_that_asks_for_models() -> None:
    def look(models: object) -> None: ...

    SyncAPI(Plain, post_predict=look, models={"path": "model.onnx"})

    assert "asks for `models`; declare them" in refusal(look)
