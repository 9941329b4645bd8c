import pytest

from cortex_sdk import InvalidSpecError, SyncAPI


class Iris:
    def predict(self) -> int:
        return 1


def refusal(field: str, value: object) -> str:
    with pytest.raises(InvalidSpecError) as caught:
        SyncAPI(Iris, **{field: value})
    return str(caught.value)


@pytest.mark.parametrize("field", ["env", "secrets"])
def test_variables_are_none_by_default_and_taken_as_given(field: str) -> None:
    assert getattr(SyncAPI(Iris), field) == {}
    assert getattr(SyncAPI(Iris, **{field: {"A": "", "b": "é\n"}}), field) == {
        "A": "",
        "b": "é\n",
    }


@pytest.mark.parametrize("field", ["env", "secrets"])
def test_a_reserved_name_is_refused(field: str) -> None:
    assert refusal(field, {"CORTEX_HOME": "s3cret"}) == (
        f"`SyncAPI.{field}` must not set CORTEX_HOME: names that start with CORTEX_ are"
        " reserved"
    )


@pytest.mark.parametrize("field", ["env", "secrets"])
@pytest.mark.parametrize(
    "value",
    [
        "s3cret",
        ["s3cret"],
        {"A": 53},
        {"A": ["s3cret"]},
        {"": "s3cret"},
        {"A=B": "s3cret"},
        {"A": "s3cret\0"},
        {5: "s3cret"},
        None,
    ],
)
def test_a_wrong_variable_is_refused_without_its_value(
    field: str, value: object
) -> None:
    message = refusal(field, value)

    assert message.startswith(f"`SyncAPI.{field}")
    assert "s3cret" not in message
    assert "53" not in message


def test_a_value_that_is_no_text_is_named() -> None:
    assert refusal("secrets", {"TOKEN": 5, "OTHER": "x"}) == (
        "`SyncAPI.secrets.TOKEN` must be text"
    )


def test_a_variable_never_stands_in_what_a_declaration_looks_like() -> None:
    api = SyncAPI(Iris, env={"A": "s3cret"}, secrets={"B": "s3cret"})

    for text in (repr(api), str(api), f"{api}", api._repr_html_()):
        assert "s3cret" not in text


def test_another_wrong_field_does_not_show_the_variables() -> None:
    with pytest.raises(InvalidSpecError) as caught:
        SyncAPI(
            Iris,
            secrets={"A": "s3cret"},
            threads_per_process=2000,
            networking={"endpont": "/x"},
        )

    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in str(caught.value.__context__ or "")
