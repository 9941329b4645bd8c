"""What KServe's public client does, unmodified: `python kserve_rest.py CLAIM URL`."""

import asyncio
import sys

import httpx
import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest
from kserve.inference_client import RESTConfig

Named = tuple[str, str, np.ndarray]


def request(model: str, *tensors: Named, binary: bool = False) -> InferRequest:
    inputs = []
    for name, datatype, array in tensors:
        one = InferInput(name, list(array.shape), datatype)
        one.set_data_from_numpy(array, binary_data=binary)
        inputs.append(one)
    return InferRequest(model, inputs)


async def asks_for_state(client: InferenceRESTClient, url: str) -> None:
    assert await client.is_server_live(url)
    assert await client.is_server_ready(url)
    assert await client.is_model_ready(url, "double")
    assert not await client.is_model_ready(url, "triple")


async def infers(client: InferenceRESTClient, url: str) -> None:
    array = np.array([[1.5, 2.5]], dtype=np.float32)
    for binary in (True, False):
        data = request("double", ("x", "FP32", array), binary=binary)
        answer = await client.infer(url, data, model_name="double")
        (output,) = answer.outputs
        assert answer.model_name == "double"
        assert output.as_numpy().tolist() == [[3.0, 5.0]]
        assert output.as_numpy().dtype == np.float32


async def infers_with_strings(client: InferenceRESTClient, url: str) -> None:
    array = np.array([["ü"], ["b"]], dtype=object)
    for binary in (True, False):
        data = request("shout", ("x", "BYTES", array), binary=binary)
        answer = await client.infer(url, data, model_name="shout")
        found = answer.outputs[0].as_numpy().ravel()
        assert [t.decode() if isinstance(t, bytes) else t for t in found] == ["Ü", "B"]


async def infers_with_several_tensors(client: InferenceRESTClient, url: str) -> None:
    image = np.arange(4, dtype=np.uint8).reshape(2, 2)
    data = request(
        "picture", ("image", "UINT8", image), ("gain", "FP64", np.array([2.0]))
    )
    answer = await client.infer(url, data, model_name="picture")
    found = {one.name: one.as_numpy().tolist() for one in answer.outputs}
    assert found == {"image": (image * 2.0).tolist(), "pixels": [4]}


async def is_told_what_is_wrong(client: InferenceRESTClient, url: str) -> None:
    data = request("double", ("x", "FP32", np.zeros(1, dtype=np.float32)))
    message = await error_of(client, url, data)
    assert "there is no model `triple` here" in message


async def error_of(client: InferenceRESTClient, url: str, data: InferRequest) -> str:
    try:
        await client.infer(url, data, model_name="triple")
    except httpx.HTTPStatusError as error:
        return str(error)
    raise AssertionError(data)


async def main(claim: str, url: str) -> None:
    async with InferenceRESTClient(RESTConfig(protocol="v2")) as client:
        await globals()[claim](client, url)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
