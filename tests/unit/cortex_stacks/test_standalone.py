import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from stacks_cases import iris

from cortex_stacks.args import Blob, Drain, Runtime, SyncAPIArgs
from cortex_stacks.standalone import SettingError, commands, files, read

PLAIN = iris(
    namespace="models",
    stack="0a1b2c3d.models.api.iris",
    revision="a1b2c3d4e5f6",
    manifest="{}",
    bundle=Blob(name="bundle.tar.gz", digest="ab" * 32, data=b"\x1f\x8b files"),
    timeout=60,
    drain=Drain(withdraw=5, grace=90),
    runtime=Runtime(
        image="python:3.12-slim",
        wheel=Blob(name="cortex_sdk-1-py3-none-any.whl", digest="cd" * 32, data=b"PK"),
        requirements=("scikit-learn==1.7.2",),
        index_url="https://index.example/simple",
    ),
    deployed_at="2026-11-27T10:00:00Z",
)
SECRET = replace(
    PLAIN,
    pickle=b"class",
    secrets={"API_TOKEN": "hunter2", "A.B": "hunter3"},
    keys=("hunter4-hunter4-hunter4",),
    runtime=replace(PLAIN.runtime, index_url="https://me:hunter5@index.example"),
)
SETTINGS = {
    "secrets": json.dumps(SECRET.secrets),
    "keys": "# of the team\nhunter4-hunter4-hunter4\n",
    "index_url": "https://me:hunter5@index.example",
}


class Config:
    """Stands in for pulumi.Config."""

    def __init__(self, **values: str) -> None:
        self.get = values.get

    def get_object(self, key: str) -> Any:
        text = self.get(key)
        return None if text is None else json.loads(text)


def write(args: SyncAPIArgs, folder: Path) -> Path:
    for name, content in files(args).items():
        (folder / name).write_bytes(content)
    return folder


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    assert read(write(PLAIN, tmp_path), Config()) == PLAIN


def test_secrets_come_from_the_configuration(tmp_path: Path) -> None:
    assert read(write(SECRET, tmp_path), Config(**SETTINGS)) == SECRET


def test_no_secret_is_in_a_file() -> None:
    text = b"".join(files(SECRET).values())

    assert b"hunter" not in text
    assert b"API_TOKEN" in text


def test_files_of_pods_are_files_of_their_own() -> None:
    found = files(SECRET)

    assert set(found) == {
        "api.json",
        "bundle.tar.gz",
        "cortex_sdk-1-py3-none-any.whl",
        "class.pickle",
    }
    assert found["bundle.tar.gz"] == b"\x1f\x8b files"
    assert found["class.pickle"] == b"class"


def test_what_is_in_a_store_stays_there(tmp_path: Path) -> None:
    bundle = replace(PLAIN.bundle, data=None, url="s3://bucket/bundle.tar.gz")
    prebuilt = Runtime(image="iris:1", is_prebuilt=True)
    args = replace(PLAIN, bundle=bundle, runtime=prebuilt)

    assert set(files(args)) == {"api.json"}
    assert read(write(args, tmp_path), Config()) == args


def test_each_secret_has_the_command_that_sets_it() -> None:
    assert commands(SECRET) == (
        "pulumi config set --secret --path 'secrets[\"API_TOKEN\"]'",
        "pulumi config set --secret --path 'secrets[\"A.B\"]'",
        "pulumi config set --secret keys < .api-keys",
        "pulumi config set --secret index_url",
    )
    assert commands(PLAIN) == ()


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("secrets", "the secret A.B is not set: pulumi config set --secret --path"),
        ("keys", "the API keys are not set"),
        ("index_url", "the package index is not set"),
    ],
)
def test_what_is_not_set_is_named_with_the_command_for_it(
    missing: str, said: str, tmp_path: Path
) -> None:
    settings = {name: text for name, text in SETTINGS.items() if name != missing}

    with pytest.raises(SettingError, match=said):
        read(write(SECRET, tmp_path), Config(**settings))
