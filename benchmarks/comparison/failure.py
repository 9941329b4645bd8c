"""What stops one measurement, or the whole run."""


class BenchmarkError(Exception):
    """Something could not be measured; the message is one sentence."""
