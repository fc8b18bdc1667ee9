"""Reads the compiled classes of the Java client with the JDK's own `javap`."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from surface import Surface, options_of, split

PACKAGE = "dev.microsandbox."
TYPE = re.compile(r"^(?P<public>public )?(?:\w+ )*?(?:class|interface) (?P<name>[\w.$]+)(?P<rest>.*) \{$")
METHOD = re.compile(r"^  public (?P<before>[^(]*?)(?P<name>[\w$.]+)\((?P<parameters>.*)\)[^()]*;$")
CONSTANT = re.compile(r"^  public static final (?P<type>[\w.$]+) (?P<name>\w+);$")
VARIABLE = re.compile(r"^\s+0\s+\d+\s+\d+\s+(?P<name>\w+)\s+\S+$")
OF_EVERY_OBJECT = {"toString", "hashCode", "equals"}


@dataclass
class Method:
    """One public method."""

    name: str
    answer: str
    is_static: bool
    types: list[str]
    variables: list[str] = field(default_factory=list)

    @property
    def parameters(self) -> list[str]:
        """The parameters' names, known where the method has code."""
        return [name for name in self.variables if name != "this"][: len(self.types)]


@dataclass
class Type:
    """One class, interface, record or enum."""

    is_public: bool
    is_record: bool
    bases: list[str]
    methods: list[Method] = field(default_factory=list)
    constants: list[str] = field(default_factory=list)


def read(classes: Path, javap: str) -> Surface:
    """The surface of a folder of classes."""
    files = sorted(str(path) for path in classes.glob("dev/microsandbox/*.class"))
    printed = subprocess.run([javap, "-public", "-c", "-l", *files], check=True, capture_output=True, text=True).stdout
    return surface_of(types_of(printed))


def types_of(printed: str) -> dict[str, Type]:
    """The types of what `javap -public -c -l` prints, by their names without the package."""
    types: dict[str, Type] = {}
    current: Type | None = None
    for line in printed.splitlines():
        if found := TYPE.match(line):
            bases = re.findall(r"dev\.microsandbox\.([\w$]+)", re.sub(r"<.*?>", "", found["rest"]))
            current = types.setdefault(
                found["name"].removeprefix(PACKAGE), Type(bool(found["public"]), "java.lang.Record" in found["rest"], bases)
            )
        elif current is None:
            continue
        elif found := METHOD.match(line):
            words = found["before"].split()
            answer = words[-1] if words else ""
            current.methods.append(Method(found["name"], answer, "static" in words, split(found["parameters"], ",")))
        elif found := CONSTANT.match(line):
            current.constants.append(found["name"])
        elif (found := VARIABLE.match(line)) and current.methods:
            current.methods[-1].variables.append(found["name"])
    return types


def surface_of(types: dict[str, Type]) -> Surface:
    """The surface of these types."""
    surface = Surface()
    for title in (title for title, kind in types.items() if kind.is_public):
        for method in all_methods(types, title):
            if is_own(method):
                options = parameters(types, method)
                # A builder's last method makes something of all that was set before.
                if not types[title].is_record and method.name not in (steps := settings(types, title)):
                    options += steps
                surface.add(f"{title.replace('$', '.')}.{method.name}", options_of(options))
    surface.errors = {name.lower(): name for name in types["ErrorCode"].constants} if "ErrorCode" in types else {}
    return surface


def all_methods(types: dict[str, Type], title: str) -> list[Method]:
    """A type's methods and those that it inherits."""
    methods = list(types[title].methods)
    for base in types[title].bases:
        if base in types:
            methods += all_methods(types, base)
    return methods


def parameters(types: dict[str, Type], method: Method) -> list[str]:
    """The names of a method's parameters; an object of options counts as its options."""
    names: list[str] = []
    for index, kind in enumerate(method.types):
        title = re.sub(r"<.*", "", kind).removeprefix(PACKAGE)
        inside = settings(types, title)
        names += inside or method.parameters[index : index + 1]
    return names


def settings(types: dict[str, Type], title: str) -> list[str]:
    """What can be set on an object of options: what its methods, or its builder's, take and answer with itself."""
    names: list[str] = []
    for kind in (title, f"{title}$Builder"):
        for method in types[kind].methods if kind in types else ():
            if method.types and not method.is_static and re.sub(r"<.*", "", method.answer).removeprefix(PACKAGE) == kind:
                step = method.name.removeprefix("with")
                names.append(step[:1].lower() + step[1:])
    if not names and title in types and types[title].is_record:
        names = [method.name for method in types[title].methods if not method.types and not method.is_static and is_own(method)]
    return names


def is_own(method: Method) -> bool:
    """Whether it is one that its type has thought of, and no constructor."""
    return method.name not in OF_EVERY_OBJECT and "." not in method.name
