"""Reads the installed Python package by asking it."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import textwrap
from types import ModuleType
from typing import Any

from surface import Surface, options_of


def read(module_name: str) -> Surface:
    """The surface of one of the two modules, `microsandbox` and `microsandbox.sync`."""
    module = importlib.import_module(module_name)
    surface = Surface()
    for cls in reachable(module):
        # The synchronous twin's results have the names of the asynchronous ones, with a prefix.
        title = cls.__name__.removeprefix("Sync")
        for name, options in members(cls):
            surface.add(f"{title}.{name}" if name else title, options)
    errors = importlib.import_module("microsandbox.errors")
    for cls in vars(errors).values():
        if inspect.isclass(cls) and issubclass(cls, errors.SandboxError) and cls is not errors.SandboxError:
            surface.errors[cls.default_code] = cls.__name__
    return surface


def reachable(module: ModuleType) -> list[type]:
    """The classes that a user comes to: those that the module exports, and what their members answer with."""
    waiting = [value for name, value in vars(module).items() if inspect.isclass(value) and not name.startswith("_")]
    found: dict[type, None] = {}
    while waiting:
        cls = waiting.pop()
        if cls in found or not cls.__module__.startswith("microsandbox"):
            continue
        found[cls] = None
        for base in cls.__mro__:
            for member in vars(base).values():
                waiting += answers(member)
    return list(found)


def answers(member: Any) -> list[type]:
    """The classes that the annotation of what a member answers with names."""
    function = plain(member)
    if function is None:
        return []
    names = re.findall(r"\w+", str(function.__annotations__.get("return", "")))
    known = [function.__globals__.get(name) for name in names]
    return [value for value in known if inspect.isclass(value)]


def plain(member: Any) -> Any:
    """The function behind a method or property; None for anything else."""
    member = getattr(member, "fget", None) or getattr(member, "__func__", member)
    return member if inspect.isfunction(member) else None


def members(cls: type) -> list[tuple[str, dict[str, str]]]:
    """The public members of a class, its fields and attributes too, each with its options; its constructor without a name."""
    found: list[tuple[str, dict[str, str]]] = [("", options_of(parameters(cls.__init__)))] if inspect.isfunction(cls.__init__) else []
    for base in cls.__mro__:
        fields = [*vars(base).get("__annotations__", ()), *attributes(base)]
        found += [(name, {}) for name in fields if not name.startswith("_")]
        for name, member in vars(base).items():
            function = plain(member)
            if function is not None and not name.startswith("_"):
                found.append((name, options_of(parameters(function))))
    return found


def parameters(function: Any) -> list[str]:
    """The names of a function's parameters."""
    return [name for name in inspect.signature(function).parameters if name not in ("self", "cls")]


def attributes(cls: type) -> list[str]:
    """What a class's constructor sets on the object."""
    constructor = vars(cls).get("__init__")
    if not inspect.isfunction(constructor) or not cls.__module__.startswith("microsandbox"):
        return []
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(constructor)))
    except OSError:  # made by a decorator
        return []
    set_here = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)]
    return [node.attr for node in set_here if isinstance(node.value, ast.Name) and node.value.id == "self"]
