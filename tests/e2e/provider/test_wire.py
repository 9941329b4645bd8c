"""Values between the engine and the stand-in provider."""

from e2e.provider.wire import (
    UNKNOWN,
    Secret,
    decode,
    encode,
    has_secret,
    has_unknown,
    plain,
)
from google.protobuf import json_format, struct_pb2
from pulumi.runtime import rpc

VALUES = {
    "text": "a",
    "whole": 3,
    "part": 0.5,
    "yes": True,
    "nothing": None,
    "list": [1, {"deep": Secret("s")}, []],
    "map": {},
    "later": UNKNOWN,
    "secret": Secret({"key": [UNKNOWN]}),
}


def test_values_survive_the_wire() -> None:
    found = decode(encode(VALUES))
    assert found == VALUES
    assert isinstance(found["whole"], int)
    assert isinstance(found["part"], float)


def test_secrets_and_unknowns_are_written_as_the_sdk_reads_them() -> None:
    sent = encode({"s": Secret("x"), "u": UNKNOWN})
    seen = rpc.deserialize_properties(sent, keep_unknowns=True)
    assert rpc.is_rpc_secret(seen["s"])
    assert rpc.unwrap_rpc_secret(seen["s"]) == "x"
    assert seen["u"] is rpc.UNKNOWN or type(seen["u"]).__name__ == "Unknown"


def test_secrets_and_unknowns_are_read_as_the_sdk_writes_them() -> None:
    secret = {rpc._special_sig_key: rpc._special_secret_sig, "value": "x"}
    sent = json_format.ParseDict({"s": secret, "u": rpc.UNKNOWN}, struct_pb2.Struct())
    assert decode(sent) == {"s": Secret("x"), "u": UNKNOWN}


def test_plain_takes_every_secret_off() -> None:
    assert plain(VALUES) == {
        **VALUES,
        "list": [1, {"deep": "s"}, []],
        "secret": {"key": [UNKNOWN]},
    }


def test_marks_are_found_however_deep() -> None:
    assert has_unknown({"a": [Secret({"b": UNKNOWN})]})
    assert not has_unknown({"a": [Secret({"b": 1})]})
    assert has_secret({"a": [{"b": Secret(1)}]})
    assert not has_secret({"a": [{"b": 1}]})


def test_a_secret_is_not_in_its_own_picture() -> None:
    assert "hunter2" not in repr(Secret("hunter2"))
