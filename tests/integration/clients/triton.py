"""What Triton's public client does, unmodified: `python triton.py CLAIM ADDRESS`.

Each claim stands for one API, see test_v2_clients.py.
"""

import sys

import ml_dtypes
import numpy as np
from tritonclient.http import (
    InferenceServerClient,
    InferInput,
    InferRequestedOutput,
)
from tritonclient.utils import InferenceServerException, np_to_triton_dtype


def tensor(name: str, array: np.ndarray, *, binary: bool = True) -> InferInput:
    made = InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
    made.set_data_from_numpy(array, binary_data=binary)
    return made


def asks_for_state_and_metadata(client: InferenceServerClient) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("double")
    assert not client.is_model_ready("triple")
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    metadata = client.get_model_metadata("double")
    assert metadata["name"] == "double"
    assert [one["shape"] for one in metadata["inputs"]] == [[-1]]
    assert [one["shape"] for one in metadata["outputs"]] == [[-1]]
    (version,) = metadata["versions"]
    assert client.is_model_ready("double", version)
    assert client.get_model_metadata("double", version) == metadata


def infers_with_every_datatype(client: InferenceServerClient) -> None:
    kinds = [*"?bhiqBHIQefd", ml_dtypes.bfloat16]
    for kind in kinds:
        array = np.array([[0, 1, 1], [1, 0, 1]]).astype(kind)
        result = client.infer("double", [tensor("x", array)]).as_numpy("response")
        assert result.shape == array.shape
        if kind is ml_dtypes.bfloat16:  # numpy has none: it is widened on the way
            assert result.dtype == np.float32
        elif kind != "?":
            assert result.dtype == array.dtype
        assert np.array_equal(result.astype(float), 2 * array.astype(float)) or (
            kind == "?" and np.array_equal(result.astype(bool), array)
        )


def infers_with_json(client: InferenceServerClient) -> None:
    array = np.array([[1.5, 2.5]], dtype=np.float32)
    output = InferRequestedOutput("doubled", binary_data=False)

    result = client.infer(
        "double", [tensor("x", array, binary=False)], outputs=[output], request_id="7"
    )

    assert result.as_numpy("doubled").tolist() == [[3.0, 5.0]]
    assert result.get_response()["id"] == "7"
    assert result.get_output("doubled")["data"] == [3.0, 5.0]


def infers_with_strings(client: InferenceServerClient) -> None:
    for binary in (True, False):
        array = np.array(["ü", "b" * 70000, ""], dtype=object)
        output = InferRequestedOutput("response", binary_data=binary)
        result = client.infer(
            "shout", [tensor("x", array, binary=binary)], outputs=[output]
        ).as_numpy("response")
        texts = [t.decode() if isinstance(t, bytes) else t for t in result]
        assert texts == ["Ü", "B" * 70000, ""]


def infers_with_several_tensors(client: InferenceServerClient) -> None:
    image = np.arange(6, dtype=np.uint8).reshape(2, 3)
    inputs = [tensor("image", image), tensor("gain", np.array([2.0]))]

    result = client.infer("picture", inputs)

    assert result.as_numpy("image").tolist() == (image * 2.0).tolist()
    assert result.as_numpy("pixels").tolist() == [6]
    one = client.infer("picture", inputs, outputs=[InferRequestedOutput("pixels")])
    assert one.as_numpy("image") is None
    assert one.as_numpy("pixels").dtype == np.int64


def infers_with_compression(client: InferenceServerClient) -> None:
    array = np.zeros(1000, dtype=np.float32)
    for method in ("gzip", "deflate"):
        result = client.infer(
            "double",
            [tensor("x", array)],
            request_compression_algorithm=method,
            response_compression_algorithm=method,
        )
        assert np.array_equal(result.as_numpy("response"), array)


def infers_at_the_same_time(client: InferenceServerClient) -> None:
    arrays = [np.full(3, n, dtype=np.float32) for n in range(20)]

    waiting = [client.async_infer("double", [tensor("x", one)]) for one in arrays]

    for array, one in zip(arrays, waiting, strict=True):
        assert np.array_equal(one.get_result().as_numpy("response"), 2 * array)


def is_told_what_is_wrong(client: InferenceServerClient) -> None:
    one, two = (tensor(name, np.zeros(1)) for name in "xy")
    wrong = [("triple", [one], "404", "no model `triple` here")]
    wrong.append(("double", [one, two], "400", "one input, got 2"))
    for model, inputs, status, message in wrong:
        error = error_of(client, model, inputs)
        assert error.status() == status
        assert message in error.message()


def error_of(
    client: InferenceServerClient, model: str, inputs: list[InferInput]
) -> InferenceServerException:
    try:
        client.infer(model, inputs)
    except InferenceServerException as error:
        return error
    raise AssertionError(inputs)


if __name__ == "__main__":
    _, claim, address = sys.argv
    with InferenceServerClient(address) as client:
        globals()[claim](client)
