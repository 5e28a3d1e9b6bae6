"""The core and its stub are the same, and everything public says what it is for."""

import ast
import inspect
import pathlib

import pytest

import cohort
import cohort.asgi
import cohort.codecs
import cohort.testing
import cohort.wsgi
from cohort import _core

STUB = pathlib.Path(_core.__file__).parent / "_core.pyi"


def stubbed() -> set[str]:
    names = set()
    for node in ast.parse(STUB.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


def test_the_stub_names_what_is_there() -> None:
    there = {name for name in dir(_core) if not name.startswith("_") and not name.startswith("SWIG")}
    assert stubbed() == there


def public() -> list[tuple[str, object]]:
    found = [(name, getattr(cohort, name)) for name in cohort.__all__]
    for module in (cohort.asgi, cohort.wsgi, cohort.testing, cohort.codecs):
        found.append((module.__name__, module))
        found += [(f"{module.__name__}.{name}", thing) for name, thing in vars(module).items()
                  if inspect.isclass(thing) and thing.__module__ == module.__name__ and not name.startswith("_")]  # fmt: skip
    return found


@pytest.mark.parametrize(("name", "thing"), public(), ids=[name for name, _ in public()])
def test_what_is_public_is_documented(name: str, thing: object) -> None:
    if not (inspect.isclass(thing) or inspect.isfunction(thing) or inspect.ismodule(thing)):
        return
    assert thing.__doc__, name
    if inspect.isclass(thing):
        for member, value in vars(thing).items():
            if (
                not member.startswith("_")
                and member not in ("encode", "decode")
                and (inspect.isfunction(value) or isinstance(value, property | classmethod))
            ):
                assert inspect.getdoc(getattr(thing, member)) or value.__doc__, f"{name}.{member}"
