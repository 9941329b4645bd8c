from cortex_sdk._preview import Preview, ResourceChange, effects_of

BEFORE = {"revision": "aaa", "replicas": "1"}
AFTER = {"revision": "bbb", "replicas": "1", "downtime": "none"}


def preview(before: dict[str, str], after: dict[str, str], *resources: str) -> Preview:
    return Preview(
        name="iris",
        target="fake",
        endpoint="http://h/iris",
        revision="bbb",
        effects=effects_of(before, after),
        resources=tuple(
            ResourceChange("update", "apps/v1/Deployment", name, ("spec.template",))
            for name in resources
        ),
    )


def test_what_stays_is_no_change() -> None:
    same = preview(BEFORE, BEFORE)

    assert not same.changed
    assert str(same) == "iris is up to date on fake: nothing changes"


def test_what_was_and_what_will_be_stand_side_by_side() -> None:
    text = str(preview(BEFORE, AFTER))

    assert text.startswith("iris changes on fake")
    assert "revision  aaa → bbb" in text
    assert "replicas  1\n" in text


def test_an_api_that_is_not_there_yet_is_new() -> None:
    first = preview({}, AFTER)

    assert (first.is_new, first.changed) == (True, True)
    assert str(first).startswith("iris is new on fake")
    assert "→" not in str(first)


def test_a_change_of_an_object_alone_is_a_change() -> None:
    drifted = preview(BEFORE, BEFORE, "iris")

    assert drifted.changed
    assert "update    apps/v1/Deployment iris  spec.template" in str(drifted)


def test_as_json_it_says_whether_anything_changes() -> None:
    values = preview(BEFORE, AFTER, "iris").as_dict()

    assert values["changed"] is True
    assert values["effects"][0] == {"what": "revision", "before": "aaa", "after": "bbb"}
    assert values["resources"][0]["paths"] == ("spec.template",)


def test_nothing_of_others_is_html_in_a_notebook() -> None:
    shown = preview({}, {"revision": "<script>"})._repr_html_()

    assert "<script>" not in shown
