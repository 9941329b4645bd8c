"""Numbers as Kubernetes writes them, so that it gives back what it was given."""

_UNITS = (("Ti", 1 << 40), ("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10))


def milli(value: float) -> str:
    """A number to three decimals: 0.2 is "200m", 2.0 is "2"."""
    whole, rest = divmod(round(value * 1000), 1000)
    return f"{whole * 1000 + rest}m" if rest else f"{whole}"


def size(value: int) -> str:
    """Bytes in the largest unit that divides them: 536870912 is "512Mi"."""
    for unit, factor in _UNITS:
        if value and value % factor == 0:
            return f"{value // factor}{unit}"
    return f"{value}"


def share(value: str) -> int | str:
    """A number of replicas, or a percentage of them."""
    return int(value) if value.isdecimal() else value
