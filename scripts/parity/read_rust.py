"""Reads the public items of the Rust crate's source."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

from surface import Surface, end_of, options_of, split

# Strings, with what may stand in them, and comments: in neither is a bracket or a keyword one.
OPAQUE = re.compile(r'r(?P<marks>#+)".*?"(?P=marks)|b?"(?:\\.|[^"\\])*"|b?\'(?:\\.|[^\'\\])\'|//[^\n]*|/\*.*?\*/', re.DOTALL)
FORM = re.compile(r"\((?:\$\(#\[\$\w+:meta\]\)\+\s*)?(?P<names>(?:\$\w+:\w+,?\s*)+)\) => \{")
MACRO = re.compile(r"macro_rules! (?P<name>\w+) \{")
SHARED = re.compile(r"\(\) => \{")
STRUCT = re.compile(r"^pub struct (?P<name>\w+)(?:<[^{;]*?>)? \{", re.MULTILINE)
TRAIT = re.compile(r"^pub trait (?P<name>\w+)[^{;]*\{", re.MULTILINE)
IMPL = re.compile(r"^impl(?:<[^{]*?>)? (?P<name>\w+)(?:<[^{]*?>)? \{", re.MULTILINE)
FUNCTION = re.compile(r"^\s*(?P<public>pub )?(?:const )?(?:async )?fn (?P<name>\w+)\s*(?P<next>[<(])", re.MULTILINE)
FIELD = re.compile(r"(?:#\[[^\]]*\]\s*)*pub (?P<name>\w+):")
ERROR = re.compile(r'^\s*(?P<variant>[A-Z]\w*), "(?P<code>[a-z_]+)", (?:true|false);', re.MULTILINE)


@dataclass
class Items:
    """The public structs of a crate with their fields, and the functions of its types and traits."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    functions: list[tuple[str, str, str]] = field(default_factory=list)


def read(source: Path) -> Surface:
    """The surface of a folder of source."""
    files = sorted(source.rglob("*.rs"))
    surface = surface_of([path.read_text("utf-8") for path in files])
    exported = set(re.findall(r"\w+", (source / "lib.rs").read_text("utf-8")))
    surface.members = {name: options for name, options in surface.members.items() if name.partition(".")[0] in exported}
    return surface


def surface_of(sources: list[str]) -> Surface:
    """The surface of some files."""
    surface, items = Surface(), Items()
    for source in sources:
        surface.errors.update({found["code"]: found["variant"] for found in ERROR.finditer(source)})
        collect(OPAQUE.sub(blank, source.partition("#[cfg(test)]\nmod ")[0]), items)
    for name, names in items.fields.items():
        for one in names:
            surface.add(f"{name}.{one}", {})
    for name, function, parameters in items.functions:
        surface.add(f"{name}.{function}", options_of(options(parameters, items)))
    return surface


def blank(found: re.Match[str]) -> str:
    """What stands for a comment or a string."""
    return '""' if found[0].endswith('"') else "' '" if found[0].endswith("'") else ""


def collect(text: str, items: Items) -> None:
    """Adds the items of one file."""
    shared = {}
    for macro in list(MACRO.finditer(text)):
        inside = text[macro.end() - 1 : end_of(text, macro.end() - 1, "{", "}")]
        if form := SHARED.search(inside):
            shared[macro["name"]] = inside[form.end() - 1 : end_of(inside, form.end() - 1, "{", "}")]
        elif form := FORM.search(inside):
            body = inside[form.end() : end_of(inside, form.end() - 1, "{", "}") - 1]
            text += expanded(text, macro["name"], re.findall(r"\$\w+", form["names"]), body)
    for kind, pattern in (("struct", STRUCT), ("trait", TRAIT), ("impl", IMPL)):
        for found in pattern.finditer(text):
            body = text[found.end() : end_of(text, found.end() - 1, "{", "}") - 1]
            if kind == "struct":
                items.fields[found["name"]] = [one["name"] for part in split(body, ",") if (one := FIELD.match(part))]
                continue
            for called in re.findall(r"^\s*(\w+)!\(\);", body, re.MULTILINE):
                body += shared.get(called, "")
            for function in FUNCTION.finditer(body):
                if kind == "impl" and not function["public"]:
                    continue
                at = function.start("next")
                at = end_of(body, at) if body[at] == "<" else at
                items.functions.append((found["name"], function["name"], body[at + 1 : end_of(body, at) - 1]))


def expanded(text: str, macro: str, names: list[str], body: str) -> str:
    """What each use of a macro comes to, by plain replacement."""
    made = ""
    for use in re.finditer(rf"^{macro}!\(", text, re.MULTILINE):
        one = textwrap.dedent(re.sub(r"\$\(#\[\$\w+\]\)\+", "", body))
        for name, given in zip(names, split(text[use.end() : end_of(text, use.end() - 1) - 1], ","), strict=True):
            one = re.sub(rf"{re.escape(name)}\b", given, one)
        made += f"\n{one}"
    return made


def options(parameters: str, items: Items) -> list[str]:
    """The names of parameters; a struct of options counts as its fields."""
    names: list[str] = []
    for parameter in split(parameters, ","):
        name, mark, kind = parameter.partition(":")
        if not mark:
            continue  # self
        inside = [one for word in re.findall(r"\b[A-Z]\w*Options\b", kind) for one in items.fields.get(word, ())]
        names += inside or [name.removeprefix("mut ").strip(" _")]
    return names
