"""Functions and classes as code: what they consist of, and what they refer to."""

import dis
import operator
import sys
import types
from collections.abc import Iterator

from cortex_sdk.project.script import MAIN_NAMES

code_parts = operator.attrgetter(
    "co_name",
    "co_argcount",
    "co_posonlyargcount",
    "co_kwonlyargcount",
    "co_flags",
    "co_names",
    "co_varnames",
    "co_freevars",
    "co_cellvars",
    "co_code",
    "co_exceptiontable",
    "co_consts",
)
"""Everything in a code object but file names and line numbers."""

_GLOBAL_OPERATIONS = frozenset({"LOAD_GLOBAL", "STORE_GLOBAL", "DELETE_GLOBAL"})


def global_names(code: types.CodeType) -> Iterator[str]:
    """Names of the globals that code uses, that of functions in it included."""
    for instruction in dis.get_instructions(code):
        if instruction.opname in _GLOBAL_OPERATIONS:
            yield instruction.argval
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from global_names(constant)


def is_found_by_name(value: type | types.FunctionType) -> bool:
    """Whether another process gets at it by importing a module."""
    return value.__module__ not in MAIN_NAMES and is_at_its_name(value)


def is_at_its_name(value: type | types.FunctionType) -> bool:
    """Whether its module holds it under the name that it says it has."""
    found: object = sys.modules.get(value.__module__)
    for step in value.__qualname__.split("."):
        found = getattr(found, step, None)
    return found is value
