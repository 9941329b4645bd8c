import pathlib
import string
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex_sdk import InvalidSpecError, SyncAPI
from cortex_sdk.declaration.predictor import NAME_LENGTH, kebab


class Iris:
    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config

    def predict(self, payload: list[float]) -> int:
        return 1


def refusal(predictor: object = Iris, **fields: object) -> str:
    with pytest.raises(InvalidSpecError) as caught:
        SyncAPI(predictor, **fields)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Iris", "iris"),
        ("MyPredictor", "my-predictor"),
        ("HTTPServer", "http-server"),
        ("BERT", "bert"),
        ("ResNet50", "res-net50"),
        ("Yolo8Detector", "yolo8-detector"),
        ("my_predictor", "my-predictor"),
        ("_Private", "private"),
        ("Double__Under", "double-under"),
        ("x", "x"),
    ],
)
def test_a_class_name_becomes_kebab_case(name: str, expected: str) -> None:
    assert kebab(name) == expected


@given(st.text(string.ascii_letters, min_size=1, max_size=NAME_LENGTH // 2))
def test_the_name_of_any_class_of_letters_is_the_name_of_an_api(name: str) -> None:
    cls = type(name, (Iris,), {})

    assert SyncAPI(cls).name == kebab(name)


def test_the_name_of_a_class_by_name_is_the_default() -> None:
    assert SyncAPI("pkg.app:MyIris").name == "my-iris"
    assert SyncAPI("app:Outer.MyIris").name == "my-iris"


@pytest.mark.parametrize("name", ["a", "a1", "my-api-2", "a" * NAME_LENGTH])
def test_a_name_is_a_dns_label(name: str) -> None:
    assert SyncAPI(Iris, name=name).name == name


@pytest.mark.parametrize(
    "name", ["A", "1a", "-a", "a-", "a_b", "a b", "é", "a.b", "a\n", "a" * 43]
)
def test_a_name_that_is_no_dns_label_is_refused(name: str) -> None:
    assert refusal(name=name) == (
        "`SyncAPI.name` must be at most 42 lower-case letters, digits and hyphens,"
        f" starting with a letter and not ending in a hyphen, got {name!r}"
    )


@pytest.mark.parametrize("name", [None, ""])
def test_no_name_is_the_default(name: str | None) -> None:
    assert SyncAPI(Iris, name=name).name == "iris"


@pytest.mark.parametrize("text", ["app:Iris", "my-app:Iris", "a.b_c:D", "a:B.C"])
def test_a_class_may_be_given_by_name(text: str) -> None:
    assert SyncAPI(text).predictor == text


@pytest.mark.parametrize(
    "text", ["", "app", "app:", ":Iris", "a:b:c", "a/b:C", "a b:C", "a:1b", "a..b:C"]
)
def test_text_that_names_no_class_is_refused(text: str) -> None:
    assert refusal(text) == (
        '`SyncAPI.predictor` must be a class or text such as "module:Class",'
        f" got {text!r}"
    )


@pytest.mark.parametrize("value", [5, None, Iris({}), lambda payload: payload])
def test_what_is_no_class_is_refused(value: object) -> None:
    assert refusal(value).startswith(
        "`SyncAPI.predictor`: a predictor must be a class, got "
    )


def test_a_predictor_is_required() -> None:
    with pytest.raises(InvalidSpecError, match=r"^`SyncAPI\.predictor` is required$"):
        SyncAPI()  # type: ignore[call-arg]  # that is the claim


@pytest.mark.parametrize("arguments", [(Iris, "iris"), (Iris, Iris, Iris)])
def test_only_the_predictor_goes_without_a_name(arguments: tuple[object, ...]) -> None:
    with pytest.raises(InvalidSpecError, match="takes one value without a name"):
        SyncAPI(*arguments)
    with pytest.raises(InvalidSpecError, match="takes one value without a name"):
        SyncAPI(Iris, predictor=Iris)


def test_a_class_without_predict_is_refused_with_the_nearest_method() -> None:
    class Wrong:
        def predct(self) -> None: ...

    assert refusal(Wrong) == (
        "`SyncAPI.predictor`: predictor `Wrong` has no method `predict`; `predct` looks"
        " like it, rename it"
    )


def test_an_unknown_argument_of_predict_is_refused() -> None:
    class Wrong:
        def predict(self, paylod: object) -> None: ...

    assert refusal(Wrong) == (
        "`SyncAPI.predictor`: `Wrong.predict` has an unknown argument `paylod`; did you"
        " mean `payload`?"
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
).filter(lambda value: "inf" not in repr(value))


@given(st.dictionaries(st.text(), JSON))
def test_config_is_any_json(config: dict[str, Any]) -> None:
    assert SyncAPI(Iris, config=config).config == config


def test_no_config_is_an_empty_one() -> None:
    assert SyncAPI(Iris).config == SyncAPI(Iris, config=None).config == {}


def test_a_tuple_in_config_becomes_a_list() -> None:
    assert SyncAPI(Iris, config={"a": (1, (2,))}).config == {"a": [1, [2]]}


def test_config_is_a_copy() -> None:
    config: dict[str, Any] = {"a": [1]}
    api = SyncAPI(Iris, config=config)
    config["a"].append(2)

    assert api.config == {"a": [1]}
    assert SyncAPI(Iris).config is not SyncAPI(Iris).config


@pytest.mark.parametrize(
    ("config", "where"),
    [
        (
            {"model": {"paths": [1, pathlib.Path("x")]}},
            "`model.paths[1]` is a `PosixPath`",
        ),
        ({"a": np.float32(1)}, "`a` is a `float32`"),
        ({"a": {1, 2}}, "`a` is a `set`"),
        ({"a": b"x"}, "`a` is a `bytes`"),
        ({"a": [float("nan")]}, "`a[0]` is a `nan`"),
        ({"a": {5: 1}}, "the key 5 in `a` is not text"),
        ({5: 1}, "the key 5 is not text"),
    ],
)
def test_config_that_is_not_json_is_refused_with_the_key(
    config: dict[Any, Any], where: str
) -> None:
    assert refusal(config=config).startswith(
        f"`SyncAPI.config` must be JSON, but {where}"
    )


@pytest.mark.parametrize("config", [5, "x", [1]])
def test_config_that_is_no_dict_is_refused(config: object) -> None:
    assert refusal(config=config) == f"`SyncAPI.config` must be a dict, got {config!r}"


def test_config_that_contains_itself_is_refused() -> None:
    config: dict[str, Any] = {}
    config["itself"] = config

    assert "contains itself" in refusal(config=config)


@pytest.mark.parametrize(
    ("given_value", "kept"),
    [
        (None, None),
        ("requirements.txt", "requirements.txt"),
        (pathlib.Path("requirements.txt"), "requirements.txt"),
        (["numpy>=2", "scipy"], ("numpy>=2", "scipy")),
        (("numpy",), ("numpy",)),
        ([], ()),
    ],
)
def test_requirements_are_a_list_or_a_file(given_value: object, kept: object) -> None:
    assert SyncAPI(Iris, requirements=given_value).requirements == kept


@pytest.mark.parametrize("value", [5, [5], {"numpy": "2"}, [["numpy"]]])
def test_requirements_of_another_kind_are_refused(value: object) -> None:
    assert refusal(requirements=value).startswith(
        '`SyncAPI.requirements` must be a list such as ["numpy>=2"], or the path of a'
        " requirements file inside the project"
    )


@pytest.mark.parametrize(
    ("given_value", "kept"),
    [("src", "src"), ("./src/", "src"), (pathlib.Path("a/b"), "a/b"), (None, None)],
)
def test_python_path_is_a_folder_inside_the_project(
    given_value: object, kept: object
) -> None:
    assert SyncAPI(Iris, python_path=given_value).python_path == kept


@pytest.mark.parametrize(
    "value", [".", "./", "", "..", "../src", "a/../../b", "/src", "~"]
)
def test_python_path_may_not_be_or_leave_the_project(value: str) -> None:
    assert refusal(python_path=value) == (
        '`SyncAPI.python_path` must be a folder inside the project such as "src",'
        f" got {value!r}"
    )


@pytest.mark.parametrize(
    ("given_value", "kept"), [("..", ".."), (pathlib.Path("/a"), "/a"), (None, None)]
)
def test_project_is_any_folder(given_value: object, kept: object) -> None:
    assert SyncAPI(Iris, project=given_value).project == kept
