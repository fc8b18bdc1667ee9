"""Reads the declarations and the compiled module that the JavaScript package consists of."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from surface import Surface, end_of, options_of, split, without_comments

DECLARATION = re.compile(r"export (?:declare )?(?:abstract )?(?P<kind>class|interface|type) (?P<name>\w+)")
MEMBER = re.compile(r"(?:(?:static|readonly|get|async|public) )*(?P<name>\w+)\??\s*(?P<next>[<(:])", re.DOTALL)
CODES = """
const exported = require(process.argv[1]);
const classes = Object.entries(exported).filter(([, value]) => value?.prototype instanceof exported.SandboxError);
console.log(JSON.stringify(Object.fromEntries(classes.map(([name, value]) => [value.code, name]))));
"""


def read(dist: Path) -> Surface:
    """The surface of the built package."""
    types = Types("\n".join(path.read_text("utf-8") for path in sorted(dist.glob("*.d.ts"))))
    exported = set(re.findall(r"\w+", without_comments((dist / "index.d.ts").read_text("utf-8"))))
    surface = Surface()
    for name in types.bodies:
        if name in exported:
            for member, options in types.members(name):
                surface.add(name if member == "constructor" else f"{name}.{member}", options)
    node = subprocess.run(["node", "-e", CODES, str((dist / "index.js").resolve())], check=True, capture_output=True, text=True)
    surface.errors = json.loads(node.stdout)
    return surface


class Types:
    """The classes, interfaces and type aliases of some declarations."""

    def __init__(self, source: str) -> None:
        self.bodies: dict[str, str] = {}
        self.aliases: dict[str, str] = {}
        self.bases: dict[str, list[str]] = {}
        text = without_comments(source)
        for found in DECLARATION.finditer(text):
            at = end_of(text, found.end()) if text[found.end()] == "<" else found.end()
            if found["kind"] == "type":
                self.aliases[found["name"]] = split(text[text.index("=", at) + 1 :], ";")[0]
                continue
            start = text.index("{", at)
            self.bodies[found["name"]] = text[start + 1 : end_of(text, start) - 1]
            bases = re.sub(r"\bimplements\b.*", "", text[at:start], flags=re.DOTALL)
            self.bases[found["name"]] = [base for base in re.findall(r"\w+", bases) if base != "extends"]

    def members(self, name: str) -> list[tuple[str, dict[str, str]]]:
        """The public members of a class or interface and of what it extends, each with its options."""
        found = []
        for base in self.bases.get(name, ()):
            found += self.members(base)
        for text in split(self.bodies.get(name, ""), ";"):
            member = MEMBER.match(text)
            if member is None or text.startswith(("private ", "protected ", "#", "[")):
                continue
            at = member.start("next")
            if text[at] == "<":
                at = end_of(text, at)
            options = options_of(self.parameters(text[at + 1 : end_of(text, at) - 1])) if text[at] == "(" else {}
            found.append((member["name"], options))
        return found

    def parameters(self, text: str) -> list[str]:
        """The names of parameters; one that is an object of options counts as these."""
        names: list[str] = []
        for parameter in split(text, ","):
            if parameter.startswith("{"):
                name, kind = "", parameter[end_of(parameter, 0) :].lstrip("?: ")
            else:
                name, _, kind = (part.strip() for part in parameter.partition(":"))
            if name == "this":
                continue
            names += self.fields(kind) or [name.strip("?. ")]
        return names

    def fields(self, kind: str) -> list[str]:
        """The names of the fields of an object of options; none where the type is not one."""
        names: list[str] = []
        for name in re.findall(r"\b[A-Z]\w*", kind):
            if name in self.aliases:
                names += self.fields(self.aliases[name])
            elif name.endswith("Options") and name in self.bodies:
                names += [member for member, _ in self.members(name)]
        inline = kind.find("{")
        if inline >= 0:
            body = kind[inline + 1 : end_of(kind, inline) - 1]
            names += [member["name"] for text in split(body, ";") if (member := MEMBER.match(text))]
        return names
