import json
import math

import pytest
from comparison.server import APPS, SERVERS_BY_NAME
from comparison.workload import MEBIBYTE, workloads


@pytest.mark.parametrize("name", ["w5json", "w5bin"])
def test_a_large_body_is_a_mebibyte(name: str) -> None:
    assert math.isclose(len(workloads()[name].body), MEBIBYTE, rel_tol=0.001)


def test_the_large_json_has_as_many_numbers_as_its_answer_says() -> None:
    workload = workloads()["w5json"]

    assert len(json.loads(workload.body)["x"]) == workload.answer["n"]


def test_a_form_carries_the_body_unchanged() -> None:
    workload = workloads()["w5bin"]

    body, content_type = workload.as_form()

    boundary = content_type.partition("boundary=")[2].encode()
    part = body.split(b"--" + boundary)[1]
    assert part.partition(b"\r\n\r\n")[2] == workload.body + b"\r\n"


def test_only_a_server_that_reads_no_bytes_gets_a_form() -> None:
    blob = workloads()["w5bin"]

    types = {name: one.body(blob)[1] for name, one in SERVERS_BY_NAME.items()}

    forms = [name for name, found in types.items() if found.startswith("multipart/")]
    assert forms == ["litserve"]


def test_there_is_an_app_of_ours_for_each_workload() -> None:
    apps = {path.stem for path in APPS.glob("[wps][0-9]*.py")}

    assert apps == set(workloads())
