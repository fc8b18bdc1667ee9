"""Renders the guide's page beside this file as index.html: one file that needs nothing else, with a tab for each language.

    python docs/guide/render.py            writes index.html
    python docs/guide/render.py --print    writes it to standard output

The page is Markdown of a plain kind (headings, paragraphs, lists, rules, code), with tabs between lines that begin with `+++`.
"""

from __future__ import annotations

import argparse
import html
import re
import sys
from pathlib import Path

PAGE = Path(__file__).with_name("sandboxes.md")
RENDERED = Path(__file__).with_name("index.html")
STYLE = """\
:root { color-scheme: light dark; --line: #8885; --soft: #8881; --strong: #0a7; }
body { font: 1rem/1.6 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3, h4 { line-height: 1.25; margin: 2rem 0 .75rem; }
hr { border: 0; border-top: 1px solid var(--line); margin: 2rem 0; }
code { font: .875rem/1.5 ui-monospace, monospace; }
p code, li code { background: var(--soft); padding: .1em .3em; border-radius: .25em; }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; overflow-x: auto; margin: 0; }
.tabs { display: flex; flex-wrap: wrap; }
.tabs input { position: absolute; opacity: 0; }
.tabs label { padding: .4rem 1rem; cursor: pointer; border-bottom: 2px solid transparent; }
.tabs input:checked + label { border-color: var(--strong); font-weight: 600; }
.tabs input:focus-visible + label { outline: 2px solid var(--strong); }
.tabs .tab { display: none; order: 1; width: 100%; min-width: 0; }
.tabs input:checked + label + .tab { display: block; }
@media print { .tabs .tab { display: block; } }
"""


class Renderer:
    """The page's lines, read once from the first to the last."""

    def __init__(self, text: str) -> None:
        self._lines = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL).splitlines()
        self._at = 0
        self._groups = 0
        self.title = ""

    def blocks(self, in_tab: bool = False) -> list[str]:
        """The elements from here on: to the end, or to where a tab ends."""
        made: list[str] = []
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line.startswith("+++"):
                if in_tab:
                    return made
                made.append(self._tabs())
            elif line.startswith("```"):
                made.append(self._code(line[3:]))
            elif line.startswith("- "):
                made.append(self._list())
            elif found := re.match(r"(#+) (.*)", line):
                level = len(found[1])
                self.title = self.title or found[2]
                made.append(f"<h{level}>{inline(found[2])}</h{level}>")
                self._at += 1
            elif line == "---":
                made.append("<hr>")
                self._at += 1
            elif line:
                made.append(f"<p>{inline(line)}</p>")
                self._at += 1
            else:
                self._at += 1
        return made

    def _code(self, language: str) -> str:
        end = self._lines.index("```", self._at + 1)
        source = "\n".join(self._lines[self._at + 1 : end]) + "\n"
        self._at = end + 1
        return f'<pre><code class="language-{html.escape(language)}">{html.escape(source, quote=False)}</code></pre>'

    def _list(self) -> str:
        items = []
        while self._at < len(self._lines) and self._lines[self._at].startswith("- "):
            items.append(f"<li>{inline(self._lines[self._at][2:])}</li>")
            self._at += 1
        return "<ul>\n" + "\n".join(items) + "\n</ul>"

    def _tabs(self) -> str:
        """A group of tabs: each begins with `+++ Name`, and `+++` alone ends the group."""
        self._groups += 1
        made = ['<div class="tabs">']
        while (name := self._lines[self._at][3:].strip()) != "":
            self._at += 1
            mark = f"tab-{self._groups}-{name.lower()}"
            checked = " checked" if len(made) == 1 else ""
            made.append(f'<input type="radio" name="tabs-{self._groups}" id="{mark}"{checked}>')
            made.append(f'<label for="{mark}">{html.escape(name)}</label>')
            made.append('<div class="tab">\n' + "\n".join(self.blocks(in_tab=True)) + "\n</div>")
        self._at += 1
        return "\n".join([*made, "</div>"])


def inline(text: str) -> str:
    """Bold text and code within a line."""
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))
    return re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", text)


def render(text: str) -> str:
    """The whole page."""
    renderer = Renderer(text)
    body = "\n".join(renderer.blocks())
    return f"""<!doctype html>
<!-- Rendered from sandboxes.md by render.py. -->
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(renderer.title)} · microsandbox</title>
<style>
{STYLE}</style>
</head>
<body>
{body}
</body>
</html>
"""


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--print", action="store_true", help="write to standard output")
    rendered = render(PAGE.read_text("utf-8"))
    if parser.parse_args().print:
        sys.stdout.write(rendered)
    else:
        RENDERED.write_text(rendered, "utf-8")


if __name__ == "__main__":
    main()
