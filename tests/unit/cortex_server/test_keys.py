import pytest

from cortex_server.keys import LARGEST, KeysError, keys_in

KEY = b"0123456789abcdef"


@pytest.mark.parametrize(
    ("content", "keys"),
    [
        (b"", ()),
        (b"\n \n# none\n", ()),
        (KEY, (KEY,)),
        (KEY + b"\r\n  " + KEY[::-1] + b"\t\n", (KEY, KEY[::-1])),
        (b"\xef\xbb\xbf" + KEY, (KEY,)),
        (b"# of the shop\n" + KEY + b"\n", (KEY,)),
    ],
)
def test_each_line_is_a_key_except_empty_ones_and_comments(
    content: bytes, keys: tuple[bytes, ...]
) -> None:
    assert keys_in(content) == keys


@pytest.mark.parametrize(
    "line", [KEY[:-1], KEY + b" " + KEY, KEY + b"\xc3\xbc", KEY + b"\0", KEY * 33]
)
def test_a_line_that_is_no_key_is_named_and_never_shown(line: bytes) -> None:
    with pytest.raises(KeysError, match="line 2 is no API key: a key is 16") as caught:
        keys_in(KEY + b"\n" + line)

    assert KEY[:8].decode() not in str(caught.value)


def test_a_file_that_is_too_large_is_none_of_keys() -> None:
    with pytest.raises(KeysError, match="larger than 1 MiB"):
        keys_in(b"#" * (LARGEST + 1))
