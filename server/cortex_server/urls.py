"""Opening what a URL leads to, of any kind that fsspec knows."""

from typing import Any

_WEB = ("http", "https")
_CONNECT, _SILENCE = 30.0, 60.0


class UrlError(Exception):
    """A URL that nothing here can read; the message says what is missing."""


def is_web(url: str) -> bool:
    """Whether it is read by plain HTTP."""
    return url.partition("://")[0] in _WEB


def file_system(url: str) -> tuple[Any, str]:
    """The file system that a URL is of, and its path there.

    Raises:
        UrlError: The package that reads this kind of URL is not installed.
    """
    import fsspec  # noqa: PLC0415  # most APIs have no URL

    try:
        options = _web_options() if is_web(url) else {}
        fs, root = fsspec.core.url_to_fs(url, **options)
    except (ImportError, ValueError) as error:
        raise UrlError(_missing(url, error)) from None
    return fs, root.rstrip("/")


def said(error: Exception) -> str:
    """An error of a store in one line."""
    text = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _web_options() -> dict[str, Any]:
    import aiohttp  # noqa: PLC0415  # only what reads the web needs it

    # By default, a download that takes longer than five minutes is cut.
    limits = aiohttp.ClientTimeout(
        total=None, sock_connect=_CONNECT, sock_read=_SILENCE
    )
    return {"client_kwargs": {"timeout": limits}}


def _missing(url: str, error: Exception) -> str:
    from fsspec.registry import known_implementations  # noqa: PLC0415  # as above

    protocol = url.partition("://")[0]
    known = known_implementations.get(protocol)
    if known is None:
        return f"{url}: nothing is known that reads {protocol}:// URLs"
    if is_web(url):
        package = "aiohttp"
    else:
        package = known["class"].partition(".")[0]
        if package == "fsspec":
            return f"{url} cannot be read: {known.get('err') or said(error)}"
    return (
        f"{url} needs the package `{package}`; install it, and name it in"
        " `requirements`"
    )
