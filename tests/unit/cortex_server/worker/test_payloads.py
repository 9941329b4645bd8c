import json
from typing import Annotated, Any, Literal

import pydantic
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from multidict import MultiDict

from cortex_server.interface import InterfaceError
from cortex_server.worker.call import Call
from cortex_server.worker.payloads import decoder_for
from cortex_server.worker.problems import Problem

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
MULTIPART = "multipart/form-data; boundary=7MA4YWx"


class Flower(pydantic.BaseModel):
    petals: int
    names: list[str] = []


def call(body: bytes, kind: str | None) -> Call:
    fields = (
        []
        if kind is None
        else [(b"content-type", kind.encode("utf-8", "surrogatepass"))]
    )
    return Call(body, b"", fields)


def decoded(hint: Any, body: bytes, kind: str | None) -> Any:
    return decoder_for(hint)(call(body, kind))


def problem(hint: Any, body: bytes, kind: str | None) -> Problem:
    with pytest.raises(Problem) as caught:
        decoded(hint, body, kind)
    return caught.value


@pytest.mark.parametrize("hint", [None, Any])
@pytest.mark.parametrize(
    ("kind", "body", "payload"),
    [
        (JSON, b'{"a": [1, null]}', {"a": [1, None]}),
        ("application/json;charset=utf-8", b"1", 1),
        ("Application/LD+JSON ; x=y", b"[]", []),
        ("text/plain", "ü".encode(), "ü"),
        ("text/plain; charset=iso-8859-1", b"\xfc", "ü"),
        ('text/plain; charset="UTF-16"', "ü".encode("utf-16"), "ü"),
        ("text/html; x=y; charset=ascii; z", b"a", "a"),
        ("application/octet-stream", b"\x00", b"\x00"),
        ("", b"x", b"x"),
        (None, b"", b""),
        ("nonsense", b"{}", b"{}"),
    ],
)
def test_without_a_type_the_content_type_decides(
    hint: Any, kind: str | None, body: bytes, payload: Any
) -> None:
    assert decoded(hint, body, kind) == payload


@pytest.mark.parametrize("kind", [None, JSON, FORM, "text/plain", "image/png"])
def test_bytes_are_the_body_whatever_its_kind(kind: str | None) -> None:
    assert decoded(bytes, b"\xff{", kind) == b"\xff{"


@pytest.mark.parametrize("kind", [None, JSON, FORM, "text/plain", "image/png"])
def test_text_is_the_body_whatever_its_kind(kind: str | None) -> None:
    assert decoded(str, "grün".encode(), kind) == "grün"


@pytest.mark.parametrize("kind", [JSON, None, "application/x+json"])
def test_a_type_is_built_from_json(kind: str | None) -> None:
    assert decoded(Flower, b'{"petals": "3"}', kind) == Flower(petals=3)
    assert decoded(list[int], b"[1, 2]", kind) == [1, 2]
    assert decoded(Annotated[int, pydantic.Field(gt=0)], b"1", kind) == 1
    assert decoded(Flower | None, b"null", kind) is None


def test_a_type_is_built_from_a_form() -> None:
    assert decoded(Flower, b"petals=3", FORM) == Flower(petals=3)


class Mine:
    pass


class Unfinished(pydantic.BaseModel):
    leaves: "list[Leaf]"  # type: ignore[name-defined]  # noqa: F821  # on purpose


@pytest.mark.parametrize(
    ("hint", "reason"),
    [
        (Mine, "Unable to generate pydantic-core schema for"),
        (Unfinished, "name 'Leaf' is not defined"),
        (list[Unfinished], "name 'Leaf' is not defined"),
        (Annotated[str, pydantic.Field(pattern="(")], "validator"),
        (Annotated[int, pydantic.Field(gt="a")], "validator"),
        (..., "schema"),
    ],
)
def test_a_type_that_cannot_be_checked_is_told_when_it_starts(
    hint: Any, reason: str
) -> None:
    with pytest.raises(InterfaceError, match="which cannot be checked") as caught:
        decoder_for(hint)

    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(
        "; declare JSON types, a pydantic model, bytes or str, or no type at all"
    )


@pytest.mark.parametrize("kind", ["text/plain", "image/png", "application/xml"])
def test_another_content_type_is_415_and_named(kind: str) -> None:
    raised = problem(Flower, b"{}", kind)

    assert raised.status == 415
    assert kind in raised.detail


@pytest.mark.parametrize("body", [b"[1]", b'{"petals": 1}', b'  "x"', b"\n{"])
def test_json_that_is_sent_as_a_form_is_415_and_says_what_to_do(body: bytes) -> None:
    raised = problem(Flower, body, FORM)

    assert raised.status == 415
    assert "set the content-type header" in raised.detail


@pytest.mark.parametrize("hint", [None, Flower])
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1,]", b"\xff", b"nul", b"\xef\xbb\xbf1"]
)
def test_broken_json_is_400_and_says_where(hint: Any, body: bytes) -> None:
    raised = problem(hint, body, JSON)

    assert raised.status == 400
    assert raised.detail.startswith("the body is not valid JSON: ")


@pytest.mark.parametrize("hint", [None, Flower])
def test_json_nested_without_end_is_400(hint: Any) -> None:
    assert problem(hint, b"[" * 100_000, JSON).status == 400


def test_a_wrong_value_is_422_with_its_place() -> None:
    raised = problem(Flower, b'{"petals": 1, "names": ["a", 2]}', JSON)

    assert raised.status == 422
    assert raised.errors == [
        {"pointer": "#/names/1", "detail": "Input should be a valid string"}
    ]
    assert raised.detail == (
        "the payload does not have the declared type: #/names/1:"
        " Input should be a valid string"
    )


def test_many_wrong_values_are_counted_and_only_the_first_hundred_listed() -> None:
    raised = problem(list[int], json.dumps(["x"] * 500).encode(), JSON)

    assert raised.detail.endswith(", and 499 more")
    assert raised.errors is not None
    assert len(raised.errors) == 100


@pytest.mark.parametrize(
    ("key", "pointer"),
    [
        ("a", "#/a"),
        ("a/b", "#/a~1b"),
        ("a~b", "#/a~0b"),
        ("~1", "#/~01"),
        ("", "#/"),
        ("ü", "#/ü"),
    ],
)
def test_a_place_is_an_escaped_json_pointer(key: str, pointer: str) -> None:
    raised = problem(dict[str, int], json.dumps({key: "x"}).encode(), JSON)

    assert raised.errors is not None
    assert raised.errors[0]["pointer"] == pointer


def test_a_wrong_value_at_the_top_points_to_all_of_it() -> None:
    raised = problem(int, b'"x"', JSON)

    assert raised.errors is not None
    assert raised.errors[0]["pointer"] == "#"


@pytest.mark.parametrize(
    "charset",
    [
        *("nope", "hex", "rot13", "undefined", "utf-8\0", "\udcff", "x" * 5000),
        *("punycode", "PunyCode", "idna", "unicode_escape", "raw-unicode-escape"),
    ],
)
def test_a_charset_that_is_none_is_400(charset: str) -> None:
    for hint in (None, str):
        raised = problem(hint, b"abc", f"text/plain; charset={charset}")

        assert raised.status == 400
        assert raised.detail.startswith("the body is not text in ")


def test_text_in_another_charset_is_400() -> None:
    raised = problem(None, b"\xff", "text/plain")

    assert raised.status == 400
    assert "not text in utf-8" in raised.detail


def test_a_form_has_every_value_of_every_field() -> None:
    fields = decoded(None, b"a=1&b=%C3%BC&a=2&c=&d", FORM)

    assert isinstance(fields, MultiDict)
    assert list(fields.items()) == [
        *(("a", "1"), ("b", "ü"), ("a", "2"), ("c", ""), ("d", "")),
    ]


def test_a_field_with_a_file_has_type_body_and_name() -> None:
    body = (
        b'--7MA4YWx\r\nContent-Disposition: form-data; name="note"\r\n\r\n\xc3\xbc\r\n'
        b"--7MA4YWx\r\n"
        b'Content-Disposition: form-data; name="leaf"; filename="a.bin"\r\n'
        b"Content-Type: application/x-leaf\r\n\r\n\x00\r\n\xff\r\n--7MA4YWx--\r\n"
    )

    fields = decoded(None, body, MULTIPART)

    assert fields["note"] == "ü"
    leaf = fields["leaf"]
    assert (leaf.type, leaf.body, leaf.name) == (
        "application/x-leaf",
        b"\x00\r\n\xff",
        "a.bin",
    )


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (FORM, b"\xff=1"),
        ("multipart/form-data", b"--7MA4YWx--"),
        ("multipart/form-data; boundary=", b"--7MA4YWx--"),
        (MULTIPART, b""),
        (MULTIPART, b'--7MA4YWx\r\nContent-Disposition: form-data; name="a"\r\n\r\n1'),
        (MULTIPART, b"--7MA4YWx\r\nno colon\r\n\r\n1\r\n--7MA4YWx--"),
        (MULTIPART, b"--7MA4YWx\r\n\xff: 1\r\n\r\n1\r\n--7MA4YWx--"),
        (
            MULTIPART,
            (
                b'--7MA4YWx\r\nContent-Disposition: form-data; name="a"\r\n'
                b"Content-Type: text/plain; charset=nope\r\n\r\n1\r\n--7MA4YWx--"
            ),
        ),
    ],
)
def test_a_form_that_is_broken_or_breaks_off_is_400(kind: str, body: bytes) -> None:
    raised = problem(None, body, kind)

    assert raised.status == 400
    assert raised.detail.startswith("the body is not a complete form: ")


KINDS = st.one_of(
    st.none(),
    st.sampled_from(
        [JSON, FORM, MULTIPART, "text/plain", "text/x; charset=utf-7", "a/b+json"]
    ),
    st.text().map(lambda text: f"text/plain; charset={text}"),
    st.text().map(lambda text: f"multipart/form-data; boundary={text}"),
    st.text(),
)
PARTS = st.sampled_from(
    [
        *(
            b"--7MA4YWx",
            b"--7MA4YWx--",
            b"\r\n",
            b"\r\n\r\n",
            b"content-disposition: form-data",
        ),
        *(
            b'; name="a"',
            b"; filename*=utf-8''b",
            b"; filename*=z'y",
            b'; filename="c"',
        ),
        *(b"content-type: text/plain; charset=latin-1", b":", b"=", b"&", b"%", b"[1]"),
    ]
)
BODIES = st.binary() | st.lists(PARTS | st.binary(max_size=5)).map(b"".join)


@given(
    hint=st.sampled_from(
        [None, Any, str, bytes, Flower, list[int], Literal["a"], dict[str, float]]
    ),
    body=BODIES,
    kind=KINDS,
)
@example(
    hint=None,
    body=b"--7MA4YWx\r\ncontent-disposition: form-data; name=a; filename*=u\r\n\r\n"
    b"--7MA4YWx--",
    kind=MULTIPART,
)
def test_no_body_makes_anything_but_a_payload_or_a_problem(
    hint: Any, body: bytes, kind: str | None
) -> None:
    raised = None
    try:
        decoded(hint, body, kind)
    except Problem as problem:
        raised = problem

    assert raised is None or raised.status in (400, 415, 422)
    assert raised is None or raised.answer("id").body
