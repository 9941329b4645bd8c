import stat
from pathlib import Path

import pytest

from cortex_sdk import InvalidSpecError
from cortex_sdk.kubernetes.plan import SavedPlan

PLAN = SavedPlan("c.default.api.iris", "4f2a", "2026-01-01T00:00:00+00:00", {"a": 1})


def test_a_saved_plan_comes_back_as_it_was(tmp_path: Path) -> None:
    PLAN.write(tmp_path / "plan")

    assert SavedPlan.read(tmp_path / "plan") == PLAN


def test_a_saved_plan_is_for_this_user_alone(tmp_path: Path) -> None:
    PLAN.write(tmp_path / "plan")

    assert stat.S_IMODE((tmp_path / "plan").stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', '{"format": 2}'])
def test_another_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "plan").write_text(text)

    with pytest.raises(InvalidSpecError, match="is no plan"):
        SavedPlan.read(tmp_path / "plan")


def test_a_plan_for_something_else_is_refused() -> None:
    PLAN.check("c.default.api.iris", "4f2a")
    with pytest.raises(InvalidSpecError, match="another API"):
        PLAN.check("d.default.api.iris", "4f2a")
    with pytest.raises(InvalidSpecError, match=r"revision 4f2a.*revision 77aa by now"):
        PLAN.check("c.default.api.iris", "77aa")
