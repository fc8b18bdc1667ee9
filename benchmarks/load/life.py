"""One sandbox's life, with something of all that a sandbox does."""

from __future__ import annotations

from microsandbox import sync

KINDS = (sync.PythonSandbox, sync.NodeSandbox)
WORDS = {
    # remember, recall, run on for too long
    sync.PythonSandbox: ("x = 20", "print(x * 2)", "while True: pass"),
    sync.NodeSandbox: ("var x = 20", "console.log(x * 2)", "while (true);"),
}
CONTENT = bytes(range(256)) * 256


def live(number: int, url: str, page: str) -> None:
    """Creates a sandbox, uses it, and removes it. Every fifth is interrupted, every third dials out."""
    kind = KINDS[number % len(KINDS)]
    remember, recall, too_long = WORDS[kind]
    sandbox = kind.create(server_url=url)
    try:
        sandbox.run(remember)
        expect(sandbox.run(recall).output(), "40")
        expect("".join(event.text for event in sandbox.stream(recall) if event.type == "stdout").strip(), "40")
        expect(sandbox.command.run("sh", ["-c", "echo out; exit 3"]).exit_code, 3)
        sandbox.files.write("kept", CONTENT)
        expect(sandbox.files.read("kept"), CONTENT)
        if number % 3 == 0:
            expect(sandbox.command.run("curl", ["-sSf", page]).stdout.strip(), "here")
        if number % 5 == 0:
            expect(sandbox.run(too_long, timeout=0.1).timed_out, True)
    finally:
        sandbox.delete()
        sandbox.close()


def expect(found: object, wanted: object) -> None:
    """Not an assertion, which an optimising interpreter leaves out: a soak whose sandboxes do nothing shows nothing."""
    if found != wanted:
        raise RuntimeError(f"{wanted!r} was expected, and {found!r} came")
