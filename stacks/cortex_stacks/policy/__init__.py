"""Guard rails: what no object of ours may ask a cluster for."""

from cortex_stacks.policy.rules import violations

__all__ = ["violations"]
