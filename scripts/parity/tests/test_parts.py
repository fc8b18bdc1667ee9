"""The parts of the comparison, on small examples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import read_cli
import read_java
import read_rust
import read_typescript
from compare import Comparison
from contract import Contract, ContractError
from page import Page
from surface import Surface, camel, end_of, snake, split, without_comments

API: dict[str, Any] = {
    "paths": {
        "/things/{thing}": {
            "parameters": [{"$ref": "#/components/parameters/Sandbox"}],
            "post": {
                "operationId": "makeThing",
                "parameters": [{"name": "mode", "in": "query"}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/MakeThing"}}}},
            },
            "get": {"operationId": "getHealth"},
        }
    },
    "components": {
        "parameters": {"Sandbox": {"name": "sandbox", "in": "path"}},
        "schemas": {"MakeThing": {"properties": {"time_limit": {}}}, "Thing": {"properties": {"id": {}, "end_reason": {}}}},
    },
}
ERRORS = [{"code": "name_taken", "http_status": 409}]


def listed(**more: Any) -> dict[str, Any]:
    """A small `spec/clients.json`."""
    return {
        "clients": {
            "a": {"title": "A", "case": "camel", "types": {"things": "Things", "thing": "Thing"}},
            "b": {"title": "B", "case": "command"},
        },
        "clients_without_errors": {"b": "it has no types"},
        "operations_without_a_verb": {"getHealth": "not for clients"},
        "verbs": [{"verb": "things.make", "operation": "makeThing", "b": "make"}],
        "records": [{"record": "thing", "schema": "Thing", "absent": {"b": "it has no types"}}],
        **more,
    }


def offers() -> dict[str, list[Surface]]:
    """What its clients offer."""
    a = Surface({"Things.make": {"time_limit": "timeLimit", "mode": "mode"}, "Thing.id": {}, "Thing.endReason": {}})
    a.errors["name_taken"] = "NameTakenError"
    b = Surface({"make": {"sandbox": "SANDBOX", "time_limit": "--time-limit", "mode": "--mode"}})
    return {"a": [a], "b": [b]}


def problems(offered: dict[str, list[Surface]], **more: Any) -> list[str]:
    """What is wrong with them."""
    return Comparison(Contract.of(API, listed(**more), ERRORS), offered).problems


def test_clients_that_have_all_are_right() -> None:
    assert problems(offers()) == []


def test_a_missing_verb_is_a_problem() -> None:
    offered = offers()
    del offered["b"][0].members["make"]
    assert problems(offered) == ["B has no things.make (make)"]


def test_a_verb_must_be_in_every_reading_of_a_client() -> None:
    offered = offers()
    offered["a"].append(Surface(offered["a"][0].members | {"Things.make": {}}, offered["a"][0].errors))
    assert problems(offered) == ["A: Things.make has no option mode", "A: Things.make has no option time_limit"]


def test_a_command_must_name_its_sandbox_and_an_object_need_not() -> None:
    offered = offers()
    del offered["b"][0].members["make"]["sandbox"]
    assert problems(offered) == ["B: make has no option sandbox"]


def test_a_missing_field_and_an_unknown_error_are_problems() -> None:
    offered = offers()
    del offered["a"][0].members["Thing.endReason"]
    offered["a"][0].errors.clear()
    assert problems(offered) == ["A has no Thing.endReason for the field end_reason of thing", "A does not know the error name_taken"]


def test_a_reason_takes_the_place_of_what_is_missing() -> None:
    offered = offers()
    del offered["a"][0].members["Things.make"]["mode"]
    verb = {"verb": "things.make", "operation": "makeThing", "b": "make", "without": {"mode": {"a": "it has one mode only"}}}
    assert problems(offered, verbs=[verb]) == []
    text = Page(Comparison(Contract.of(API, listed(verbs=[verb]), ERRORS), offered)).text()
    assert "1. it has one mode only" in text
    assert "| `mode` | - [1](#reasons) | `--mode` |" in text


@pytest.mark.parametrize("reasons", [{"absent": {"a": "why"}}, {"without": {"mode": {"b": "why"}}}, {"without": {"mode": {"*": "why"}}}])
def test_a_reason_for_what_is_there_is_a_problem(reasons: dict[str, Any]) -> None:
    (problem,) = problems(offers(), verbs=[{"verb": "things.make", "operation": "makeThing", "b": "make", **reasons}])
    assert "a reason why" in problem


def test_a_reason_for_an_option_that_does_not_exist_is_a_problem() -> None:
    verb = {"verb": "things.make", "operation": "makeThing", "b": "make", "without": {"colour": {"a": "why"}}}
    assert problems(offers(), verbs=[verb]) == ["things.make: a reason for the option colour, which the operation does not have"]


def test_every_operation_is_a_verbs_or_has_a_reason() -> None:
    with pytest.raises(ContractError, match=r"no verb and no reason.*getHealth"):
        Contract.of(API, listed(operations_without_a_verb={}), ERRORS)
    with pytest.raises(ContractError, match=r"used or not in openapi\.yaml: makeThing"):
        Contract.of(API, listed(operations_without_a_verb={"getHealth": "x", "makeThing": "x"}), ERRORS)
    with pytest.raises(ContractError, match="has no operation makeNothing"):
        Contract.of(API, listed(verbs=[{"verb": "things.make", "operation": "makeNothing"}]), ERRORS)


def test_names_change_their_case() -> None:
    assert [snake(name) for name in ("makeDirectories", "make-directories", "argv")] == ["make_directories", "make_directories", "argv"]
    assert [camel(name) for name in ("make_directories", "argv")] == ["makeDirectories", "argv"]


def test_brackets_and_comments_are_understood() -> None:
    assert split("a: Map<b, c>, d: (e, f) => g, {h, i}", ",") == ["a: Map<b, c>", "d: (e, f) => g", "{h, i}"]
    assert end_of("(a (b) c) d", 0) == 9
    assert without_comments('a /* b */ "// c" // d\ne').split() == ["a", '"//', 'c"', "e"]
    with pytest.raises(ValueError, match="no bracket closes"):
        end_of("(a", 0)


DECLARATIONS = """
/** Options; not `class Fake {`. */
export interface BaseOptions { readonly user?: "a" | "b" | undefined; }
export interface WriteOptions extends BaseOptions { readonly makeDirectories?: boolean | undefined; }
type Hidden = { secret: number };
export type Extra = WriteOptions & { more?: () => void; };
export declare class Files<T = string> implements AsyncDisposable {
    #private;
    private constructor();
    readonly at: { x: number; y: number };
    get size(): number;
    static open<T>(this: new (a: number) => T, { user, ...rest }?: Extra): Promise<T>;
    write(path: string, content: string | Uint8Array, options?: WriteOptions): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}
"""


def test_declarations_are_read() -> None:
    members = {name: list(options) for name, options in read_typescript.Types(DECLARATIONS).members("Files")}
    assert members == {
        "at": [],
        "size": [],
        "open": ["user", "make_directories", "more"],
        "write": ["path", "content", "user", "make_directories"],
    }


USAGE = """\
Usage: msb exec [-hiV] [-t=TIME] [-u=<user>] SANDBOX
                COMMAND...
Runs a program.
      SANDBOX            Its name or id.
      COMMAND...         The program; put -- before it.
  -c=CODE                Source.
  -h, --help             Show this help message and exit.
  -i, --stdin            Pass on standard input.
      --time-to-live=TIME
                         Like --idle, but longer.
  -V, --version          Print version information and exit.

Examples:
  msb exec demo -- ls --all
"""
COMMANDS = """\
Usage: msb [-hV] COMMAND
Commands:
  ps, ls      Lists sandboxes, the oldest
                first.
  completion  Prints a script.

Examples:
  msb ps
"""


def test_usage_texts_are_read() -> None:
    assert list(read_cli.options(USAGE)) == ["sandbox", "command", "c", "stdin", "time_to_live"]
    assert read_cli.subcommands(COMMANDS) == ["ps", "completion"]
    assert read_cli.subcommands(USAGE) == []


def test_the_command_line_is_walked(tmp_path: Path) -> None:
    msb = tmp_path / "msb"
    msb.write_text(f'#!/bin/sh\ncase "$1" in --help) cat <<"X"\n{COMMANDS}X\n;; *) cat <<"X"\n{USAGE}X\n;; esac\n')
    msb.chmod(0o755)
    assert sorted(read_cli.read([str(msb)]).members) == ["completion", "ps"]


RUST = """
/// A brace in a comment: {
macro_rules! common {
    () => {
        /// The id.
        pub fn run_id(&self) -> &str { if 1 < 2 { "}" } else { "{" } }
    };
}
pub struct WriteOptions {
    /// With a comma, here.
    #[serde(default)]
    pub user: Option<BTreeMap<String, String>>,
    pub make_directories: Option<bool>,
    hidden: u8,
}
pub struct Files<'a> { pub size: u64 }
impl<'a> Files<'a> {
    common!();
    pub(crate) fn new(a: u8) -> Self { todo!() }
    fn own(&self, a: u8) {}
    pub async fn write<T: Into<Vec<u8>>>(&self, path: &str, content: T, options: impl Into<Option<WriteOptions>>) {}
}
impl Drop for Files<'_> { fn drop(&mut self) {} }
pub trait BaseSandbox: Send {
    async fn run(&self, code: &str, options: Option<WriteOptions>) -> Result<(), ()>;
}
catalogue! {
    /// Meaning.
    NameTaken, "name_taken", false;
}
#[cfg(test)]
mod tests { impl Files<'_> { pub fn never(&self) {} } }
"""


def test_rust_is_read() -> None:
    surface = read_rust.surface_of([RUST])
    assert {name: list(options) for name, options in surface.members.items() if not name.startswith("WriteOptions")} == {
        "Files.size": [],
        "Files.write": ["path", "content", "user", "make_directories"],
        "Files.run_id": [],
        "BaseSandbox.run": ["code", "user", "make_directories"],
    }
    assert surface.errors == {"name_taken": "NameTaken"}


JAVAP = """
public final class dev.microsandbox.Files extends dev.microsandbox.Base {
  public void write(java.lang.String, byte[], dev.microsandbox.WriteOptions) throws java.io.IOException;
    Code:
         0: return
    LocalVariableTable:
      Start  Length  Slot  Name   Signature
          0       1     0  this   Ldev/microsandbox/Files;
          0       1     1  path   Ljava/lang/String;
          0       1     2 content   [B
          0       1     3 options   Ldev/microsandbox/WriteOptions;
          5       1     4 later   I
  public static dev.microsandbox.Files of(java.util.Map<java.lang.String, java.lang.String>);
    LocalVariableTable:
          0       1     0 env   Ljava/util/Map;
}
public final class dev.microsandbox.Size extends java.lang.Record {
  public dev.microsandbox.Size(int, int);
  public final int hashCode();
  public int minimum();
  public int maximum();
}
abstract class dev.microsandbox.Base {
  public void close();
  public void size(dev.microsandbox.Size);
  public final java.lang.String toString();
}
class dev.microsandbox.Hidden {
  public void never();
}
public final class dev.microsandbox.WriteOptions extends java.lang.Record {
  public java.lang.String user();
  public static dev.microsandbox.WriteOptions$Builder builder();
}
public final class dev.microsandbox.WriteOptions$Builder {
  public dev.microsandbox.WriteOptions$Builder user(java.lang.String);
  public dev.microsandbox.WriteOptions$Builder makeDirectories(boolean);
  public dev.microsandbox.WriteOptions build();
}
public final class dev.microsandbox.ErrorCode extends java.lang.Enum<dev.microsandbox.ErrorCode> {
  public static final dev.microsandbox.ErrorCode NAME_TAKEN;
}
"""


def test_java_classes_are_read() -> None:
    surface = read_java.surface_of(read_java.types_of(JAVAP))
    assert {name: list(options) for name, options in surface.members.items() if name.startswith("Files.")} == {
        "Files.write": ["path", "content", "user", "make_directories"],
        "Files.of": ["env"],
        "Files.close": [],
        "Files.size": ["minimum", "maximum"],
    }
    assert not any("never" in name for name in surface.members)
    assert surface.errors == {"name_taken": "NAME_TAKEN"}
