from pathlib import Path

import pytest
from pulumi.automation import CommandResult
from pulumi.automation.errors import CommandError

from cortex_sdk.errors import DeployError, TargetError
from cortex_sdk.kubernetes.engine import failures
from cortex_sdk.kubernetes.engine.folders import Folders
from cortex_sdk.kubernetes.engine.record import Complaint, Record

URN = "urn:pulumi:iris::cortex::kubernetes:apps/v1:Deployment::iris"
NOT_READY = f"""resource "{URN}" was successfully created, but the Kubernetes API \
server reported that it failed to fully initialize or become live: 2 errors occurred:
\t* the Kubernetes API server reported that "default/iris" failed to fully initialize \
or become live: 'iris' timed out waiting to be Ready
\t* [Pod default/iris-1]: ImagePullBackOff

"""


def explain(
    *complaints: Complaint, stderr: str = "", code: int = 255, home: Path | None = None
) -> Exception:
    error = CommandError(CommandResult("", stderr, code))
    folders = Folders(home or Path("/home"))
    return failures.explain(error, Record(complaints=[*complaints]), folders, "iris")


def test_an_exception_that_is_not_pulumis_is_given_back() -> None:
    error = ValueError("mine")

    assert failures.explain(error, Record(), Folders(Path("/home")), "iris") is error


def test_a_cli_that_cannot_be_started_is_told() -> None:
    error = failures.explain(
        PermissionError(13, "Permission denied"), Record(), Folders(Path("/h")), "iris"
    )

    assert isinstance(error, TargetError)
    assert "the Pulumi CLI cannot be run: " in str(error)


def test_an_error_that_an_output_raised_is_told_without_its_frames() -> None:
    said = "python inline source runtime error: no model\nTraceback (most recent call"

    error = explain(Complaint("Stack cortex-iris", said))

    assert str(error) == "the program failed: no model"


def test_resources_are_named_with_what_the_cluster_said() -> None:
    error = explain(
        Complaint("Deployment iris", NOT_READY),
        Complaint("Deployment iris", NOT_READY),
        Complaint(
            "Service iris",
            f'resource "{URN}" was not successfully created by the '
            "Kubernetes API server: port is taken",
        ),
        Complaint("Stack cortex-iris", "update failed"),
    )

    assert isinstance(error, DeployError)
    assert str(error) == (
        "Deployment iris did not become ready: 'iris' timed out waiting to be Ready,"
        " [Pod default/iris-1]: ImagePullBackOff;"
        " Service iris cannot be created: port is taken"
    )


def test_many_failures_are_cut_short() -> None:
    error = explain(*(Complaint(f"Pod p{number}", "no") for number in range(5)))

    assert str(error) == "Pod p0 no; Pod p1 no; Pod p2 no; and 2 more"


def test_a_plan_that_does_not_fit_is_told_without_values() -> None:
    said = (
        f"resource {URN} violates plan: properties changed: ~~key[{{old}}!={{s3cret}}]"
    )

    error = explain(Complaint("Deployment iris", said))

    assert "the plan no longer fits what would change now (Deployment iris)" in str(
        error
    )
    assert "s3cret" not in str(error)


@pytest.mark.parametrize(
    ("stderr", "sentence"),
    [
        ("error: write /x: no space left on device", "is full; make room"),
        ("error: incorrect passphrase", "another passphrase than /home/passphrase"),
        (
            "error: no resource plugin 'pulumi-resource-kubernetes' found",
            "Pulumi has no plugin pulumi-resource-kubernetes",
        ),
    ],
)
def test_what_is_wrong_with_this_machine_is_no_fault_of_the_cluster(
    stderr: str, sentence: str
) -> None:
    error = explain(stderr=stderr)

    assert isinstance(error, TargetError)
    assert sentence in str(error)


@pytest.mark.parametrize("has_copy", [True, False])
def test_a_state_that_cannot_be_read_is_told_with_its_copy(
    tmp_path: Path,
    has_copy: bool,  # noqa: FBT001
) -> None:
    state = tmp_path / "state" / ".pulumi" / "stacks" / "cortex" / "iris.json"
    state.parent.mkdir(parents=True)
    state.write_text("{")
    if has_copy:
        state.with_name("iris.json.bak").touch()

    error = explain(stderr="error: unexpected end of JSON input", home=tmp_path)

    assert isinstance(error, TargetError)
    assert f"{state} cannot be read" in str(error)
    assert ("its last copy is" in str(error)) == has_copy


def test_a_cli_that_was_killed_is_told_with_what_to_do() -> None:
    assert "(signal 9) in the middle of a change; run it again" in str(explain(code=-9))


def test_anything_else_is_its_most_telling_line() -> None:
    error = explain(
        Complaint("", "update failed"), stderr="warning: w\nerror: getting stack: odd\n"
    )

    assert str(error) == "Pulumi failed: getting stack: odd"
    assert (
        str(explain(Complaint("", "update failed"))) == "Pulumi failed: update failed"
    )
