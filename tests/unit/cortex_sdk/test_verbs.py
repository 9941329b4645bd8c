import pytest
from fakes import FakeTarget

from cortex_sdk import NotFoundError, SyncAPI, _verbs
from cortex_sdk.errors import DeployError


class Double:
    def predict(self, payload: float) -> float:
        return 2 * payload


def test_deploy_says_what_it_does_to_whoever_asks() -> None:
    said: list[str] = []

    deployment = _verbs.deploy(SyncAPI(Double), FakeTarget(), said.append)

    assert said == ["packing the project", "starting replica"]
    assert (deployment.name, deployment.endpoint) == ("double", "http://h/double")
    assert (deployment.revision, deployment.changed) == ("a1b2c3d4e5f6", True)


def test_deploy_prints_nothing_when_somebody_else_shows_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _verbs.deploy(SyncAPI(Double), FakeTarget(), lambda _: None)

    assert capsys.readouterr() == ("", "")


def test_deploy_keeps_standard_output_free(capsys: pytest.CaptureFixture[str]) -> None:
    SyncAPI(Double).deploy(FakeTarget())

    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[:2] == [
        "double: packing the project",
        "double: starting replica",
    ]


def test_a_failed_deploy_does_not_say_that_it_is_live(
    capsys: pytest.CaptureFixture[str],
) -> None:
    target = FakeTarget(failing={"double": DeployError("no")})

    with pytest.raises(DeployError, match="no"):
        SyncAPI(Double).deploy(target)

    assert "is live" not in capsys.readouterr().err


def test_find_has_the_nearest_name() -> None:
    target = FakeTarget().with_api("iris").with_api("digits")

    with pytest.raises(
        NotFoundError, match=r"no API 'irs' on fake; did you mean 'iris'"
    ):
        _verbs.find("irs", target)


def test_find_has_the_verbs_of_what_is_there() -> None:
    target = FakeTarget().with_api("iris")

    found = _verbs.find("iris", target)
    found.delete()

    assert found.endpoint == "http://h/iris"
    assert target.did == ["delete iris"]


def test_rollback_returns_what_serves_now() -> None:
    target = FakeTarget().with_api("iris")

    back = _verbs.rollback(_verbs.find("iris", target), "4f2a", lambda _: None)

    assert (back.revision, target.did) == ("4f2a", ["rollback to=4f2a iris"])
