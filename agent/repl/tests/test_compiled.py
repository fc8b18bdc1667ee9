"""The Python driver in the form in which images have it."""

import re
import subprocess
import unittest

from harness import PROGRAMS, REPL, Driver


class Compiled(unittest.TestCase):
    """The driver as images/lib/driver.sh compiles it."""

    SCRIPT = REPL.parents[1] / "images/lib/driver.sh"

    def compiled(self, source):
        program = re.search("^COMPILE='(.*?)'", self.SCRIPT.read_text(), re.MULTILINE | re.DOTALL)[1]
        argv = [*PROGRAMS["python"][0][:1], "-I", "-S", "-c", program]
        return subprocess.run(argv, input=source, check=True, capture_output=True).stdout

    def of_another_python(self, source):
        whole = bytearray(self.compiled(source))
        mark = 5 + len(source)
        whole[mark : mark + 4] = b"\0\0\0\0"
        return bytes(whole)

    def check(self, form):
        driver = Driver("python", form=form)
        self.addCleanup(driver.close)
        self.assertEqual(driver.run("x = 20\nx + 1").text, "21")
        trace = driver.run("def f():\n    raise ValueError('no')\nf()").error["traceback"]
        self.assertIn("raise ValueError('no')", trace)
        self.assertNotIn("<microsandbox>", trace)

    def test_it_runs_as_its_source_does(self):
        self.check(self.compiled)

    def test_another_pythons_code_is_not_run(self):
        self.check(self.of_another_python)


if __name__ == "__main__":
    unittest.main()
