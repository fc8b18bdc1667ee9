"""What a Python cell does. Each test is a claim; the agent's own tests add timeouts and kills."""

import os
import signal
import time
import unittest

from harness import DriverTest, Lost


class State(DriverTest):
    def test_variables_functions_classes_and_files_are_kept(self):
        self.ok(
            "import math\nx = 2\ndef f(): return x * 2\nclass C: y = 5\nhandle = open('t', 'w')"
        )
        self.ok("x += 1; handle.write('kept'); handle.close()")
        cell = self.ok("(f(), C.y, math.floor(2.5), open('t').read())")
        self.assertEqual("(6, 5, 2, 'kept')", cell.text)

    def test_an_exception_stops_the_cell_and_keeps_the_state_before_it(self):
        cell = self.error("a = 1\nraise ValueError('stop')\na = 2\nprint('never')")
        self.assertEqual(("ValueError", "stop"), (cell.error["name"], cell.error["message"]))
        self.assertEqual("", cell.out)
        self.assertEqual("1", self.ok("a").text)

    def test_a_whole_cell_is_compiled_like_a_file(self):
        cell = self.ok(
            "import functools\ndef f():\n    a = 1\n\n    return a\nf()\n"
            "@functools.lru_cache\ndef g(n):\n    return n\nclass A:\n    x = 1\n\n    y = 2\ng(f()) + A.y"
        )
        self.assertEqual("3", cell.text)

    def test_future_imports_hold_for_later_cells(self):
        self.ok("from __future__ import annotations")
        self.assertEqual(
            "{'x': 'Nowhere'}", self.ok("def f(x: Nowhere): pass\nf.__annotations__").text
        )

    def test_the_environment_is_set_in_the_running_interpreter(self):
        self.driver.send({"type": "environment", "set": {"GIVEN": "é", "HOME": None}})
        self.assertEqual(
            "('é', None)", self.ok("import os; (os.environ['GIVEN'], os.getenv('HOME'))").text
        )
        self.assertEqual("é\n", self.ok("!echo $GIVEN").out)


class Results(DriverTest):
    def test_only_the_last_expression_is_shown(self):
        cell = self.ok("1\n2\n3")
        self.assertEqual(("3", ""), (cell.text, cell.out))

    def test_none_assignments_and_a_closing_semicolon_show_nothing(self):
        for code in ("None", "x = 5", "5;", "print()", "", "# comment", "def f(): pass"):
            self.assertIsNone(self.ok(code).data, code)

    def test_plain_data_comes_as_json_too_and_text_first(self):
        cell = self.ok("{'a': [1, 2.5, None, True, 'é'], 'b': ()}")
        self.assertEqual({"a": [1, 2.5, None, True, "é"], "b": []}, cell.json)
        self.assertEqual("text/plain", next(iter(cell.data)))

    def test_what_json_cannot_hold_comes_as_text_only(self):
        for code in (
            "float('nan')",
            "{1: 2}",
            "object()",
            "10**400",
            "'\\ud800'",
            "type('I', (int,), {})(3)",
            "{1}",
        ):
            self.assertEqual({"text/plain"}, set(self.ok(code).data), code)

    def test_a_cyclic_or_deep_value_is_shown(self):
        self.assertEqual("[[...]]", self.ok("x = []; x.append(x); x").text)
        self.ok("y = []\nfor _ in range(90): y = [y]\ny")

    def test_a_huge_value_is_cut_in_the_middle(self):
        text = self.ok("'a' * 5_000_000 + 'z'").text
        self.assertLess(len(text), 1_001_000)
        self.assertIn("characters left out", text)
        self.assertTrue(text.startswith("'aaa") and text.endswith("az'"))

    def test_underscore_is_the_last_value_unless_the_user_has_one(self):
        self.ok("41")
        self.assertEqual("42", self.ok("_ + 1").text)
        self.assertEqual("'mine'", self.ok("_ = 'mine'\n_").text)

    def test_a_repr_that_raises_is_the_cells_error(self):
        cell = self.error("class R:\n    def __repr__(self): raise RuntimeError('no repr')\nR()")
        self.assertEqual("no repr", cell.error["message"])

    def test_an_endless_repr_is_interrupted(self):
        cell = self.driver.run_interrupted(
            "class R:\n    def __repr__(self):\n        while True: pass\nR()"
        )
        self.assertEqual("interrupted", cell.status)


class MainModule(DriverTest):
    def test_main_is_a_program_without_a_file(self):
        code = "import sys\n(__name__, '__file__' in globals(), sys.argv, sys.path[0], sys.modules['__main__'].__dict__ is globals())"
        self.assertEqual("('__main__', False, [''], '', True)", self.ok(code).text)

    def test_the_drivers_names_are_not_in_it(self):
        names = self.ok("sorted(n for n in globals() if not n.startswith('__'))").json
        self.assertEqual([], names)

    def test_a_class_of_a_cell_can_be_pickled(self):
        self.ok("class P:\n    def __init__(self): self.v = 7")
        self.assertEqual("7", self.ok("import pickle; pickle.loads(pickle.dumps(P())).v").text)

    def test_a_module_in_the_working_directory_is_imported_but_never_by_the_driver(self):
        self.ok("open('mine.py', 'w').write('v = 9')\nopen('traceback.py', 'w').write('1/0')")
        self.assertEqual("9", self.ok("import mine; mine.v").text)
        self.assertIn("NameError", self.error("undefined").error["traceback"])


class Output(DriverTest):
    def test_stdout_and_stderr_are_complete_without_a_newline(self):
        cell = self.ok("import sys\nprint('out', end='')\nsys.stderr.write('err')\nNone")
        self.assertEqual(("out", "err"), (cell.out, cell.err))

    def test_print_descriptors_and_children_keep_their_order(self):
        cell = self.ok(
            "import os, subprocess\nprint('a', end='')\nos.write(1, b'b')\nprint('c', end='')\nos.system('printf d')\n"
            "print('e', end='')\nsubprocess.run(['printf', 'f'])\nprint('g')\nNone"
        )
        self.assertEqual("abcdefg\n", cell.out)

    def test_bytes_are_kept_as_they_are(self):
        cell = self.ok(
            "import sys\nsys.stdout.buffer.write(b'\\xff\\x00\\x1b[31m')\nprint('\\udcfe')"
        )
        self.assertEqual(b"\xff\x00\x1b[31m\xfe\n", cell.stdout)

    def test_megabytes_arrive_whole(self):
        cell = self.ok("print('x' * 10_000_000)\nfor i in range(20000): print(i)")
        self.assertEqual(10_000_001 + sum(len(str(i)) + 1 for i in range(20000)), len(cell.stdout))

    def test_c_code_writes_at_its_place(self):
        cell = self.ok("import ctypes\nprint('a')\nctypes.CDLL(None).printf(b'b\\n')\nprint('c')")
        self.assertEqual("a\nb\nc\n", cell.out)

    def test_warnings_are_not_errors(self):
        cell = self.ok("import warnings; warnings.warn('careful'); 1")
        self.assertIn("<cell 1>:1: UserWarning: careful", cell.err)

    def test_a_log_line_is_on_stderr(self):
        self.assertIn("seen", self.ok("import logging; logging.warning('seen')").err)


class Background(DriverTest):
    def test_a_thread_that_outlives_its_cell_writes_in_the_background_even_during_another_cell(
        self,
    ):
        self.ok(
            "import threading, time\ndef late():\n    time.sleep(0.2); print('late')\nprint('now')\n"
            "threading.Thread(target=late).start()"
        )
        cell = self.ok("time.sleep(0.5); print('own')")
        self.assertEqual("own\n", cell.out)
        self.assertEqual(b"late\n", self.driver.background_until(1, b"late\n"))

    def test_a_thread_writes_in_its_cell_while_that_runs(self):
        cell = self.ok(
            "import threading\nt = threading.Thread(target=print, args=('in',)); t.start(); t.join()"
        )
        self.assertEqual("in\n", cell.out)

    def test_a_raw_thread_is_known_as_well(self):
        self.ok(
            "import _thread, time\ndef f():\n    time.sleep(0.1); print('raw')\n_thread.start_new_thread(f, ())"
        )
        self.assertEqual("", self.ok("time.sleep(0.3)").out)
        self.assertIn(b"raw", self.driver.background_until(1, b"raw"))

    def test_an_older_pool_works_as_the_cell_that_gives_it_work(self):
        self.ok(
            "from concurrent.futures import ThreadPoolExecutor\np = ThreadPoolExecutor(1)\np.submit(int).result()"
        )
        self.assertEqual("work\n", self.ok("p.submit(print, 'work').result()").out)

    def test_an_error_in_a_late_thread_is_background(self):
        self.ok(
            "import threading, time\ndef bad():\n    time.sleep(0.1); 1/0\nthreading.Thread(target=bad).start()"
        )
        self.assertIn(b"ZeroDivisionError", self.driver.background_until(2, b"ZeroDivisionError"))
        self.assertEqual("", self.ok("1").err)

    def test_a_task_goes_on_between_cells_and_writes_in_the_background(self):
        self.ok(
            "import asyncio\nasync def tick():\n    await asyncio.sleep(0.1); print('tick')\n"
            "task = asyncio.create_task(tick())\nawait asyncio.sleep(0)"
        )
        self.assertIn(b"tick", self.driver.background_until(1, b"tick"))
        self.assertEqual("True", self.ok("task.done()").text)

    def test_a_task_writes_in_the_background_while_another_cell_awaits(self):
        self.ok(
            "import asyncio\nasync def tick():\n    await asyncio.sleep(0.1); print('tick')\n"
            "task = asyncio.create_task(tick()); await asyncio.sleep(0)"
        )
        self.assertEqual("", self.ok("await task").out)
        self.assertIn(b"tick", self.driver.background_until(1, b"tick"))

    def test_a_child_that_outlives_its_cell_writes_in_the_background(self):
        self.ok("import subprocess; subprocess.Popen('sleep 0.2; echo child', shell=True); None")
        self.assertIn(b"child", self.driver.background_until(1, b"child"))


class Async(DriverTest):
    def test_top_level_await_for_and_with_work(self):
        cell = self.ok(
            "import asyncio, contextlib\nasync def gen():\n    yield 1\n    yield 2\n"
            "@contextlib.asynccontextmanager\nasync def manager():\n    yield 3\n"
            "total = 0\nasync for x in gen(): total += x\nasync with manager() as m: total += m\n"
            "total += sum([x async for x in gen()])\nawait asyncio.sleep(0.01, total)"
        )
        self.assertEqual("9", cell.text)

    def test_one_loop_serves_all_cells(self):
        self.ok(
            "import asyncio\nlock = asyncio.Event()\nfirst = asyncio.get_running_loop() if await asyncio.sleep(0, True) else 0"
        )
        self.assertEqual(
            "True", self.ok("await asyncio.sleep(0)\nfirst is asyncio.get_running_loop()").text
        )

    def test_asyncio_run_works_in_a_cell_without_await(self):
        self.ok("import asyncio\nawait asyncio.sleep(0)")
        self.assertEqual("5", self.ok("asyncio.run(asyncio.sleep(0.01, 5))").text)
        self.assertEqual("6", self.ok("await asyncio.sleep(0.01, 6)").text)

    def test_no_loop_runs_in_a_cell_without_await(self):
        self.error("import asyncio; asyncio.get_running_loop()")

    def test_a_server_answers_between_cells(self):
        self.ok(
            "import asyncio\nasync def hello(r, w):\n    w.write(b'hi'); w.close()\n"
            "s = await asyncio.start_server(hello, '127.0.0.1', 0)\nport = s.sockets[0].getsockname()[1]"
        )
        port = self.ok("port").json
        import socket

        with socket.create_connection(("127.0.0.1", port), 3) as client:
            self.assertEqual(b"hi", client.recv(10))

    def test_the_traceback_of_an_awaited_error_has_cell_lines_only(self):
        text = self.error("async def f():\n    raise KeyError('k')\nawait f()").error["traceback"]
        self.assertEqual(2, text.count('File "<cell 1>"'))
        self.assertNotIn("asyncio", text)

    def test_a_closed_loop_is_replaced(self):
        self.ok(
            "import asyncio\nloop = asyncio.get_running_loop() if await asyncio.sleep(0, 1) else 0"
        )
        self.ok("loop.close()")
        self.assertEqual("3", self.ok("await asyncio.sleep(0, 3)").text)

    def test_an_exit_in_a_task_between_cells_leaves_the_context_alive(self):
        self.ok(
            "import asyncio, sys\nasync def f():\n    await asyncio.sleep(0.05); sys.exit(2)\nt = asyncio.create_task(f()); await asyncio.sleep(0)"
        )
        self.driver.collect(0.2)
        self.assertEqual("1", self.ok("1").text)


class Errors(DriverTest):
    def test_a_traceback_shows_cell_and_source_line_and_no_frame_of_ours(self):
        self.ok("def f():\n    return 1 / 0")
        text = self.error("x = 1\nf()").error["traceback"]
        self.assertTrue(text.startswith("Traceback (most recent call last):\n"), text)
        self.assertIn('File "<cell 2>", line 2, in <module>\n    f()', text)
        self.assertIn('File "<cell 1>", line 2, in f\n    return 1 / 0', text)
        self.assertTrue(text.endswith("ZeroDivisionError: division by zero"), text)
        self.assertNotIn("microsandbox", text)

    def test_chained_errors_are_free_of_our_frames(self):
        text = self.error(
            "try:\n    input()\nexcept EOFError as e:\n    raise ValueError('b') from e"
        ).error["traceback"]
        self.assertIn("direct cause", text)
        self.assertNotIn("microsandbox", text)

    def test_a_syntax_error_has_the_line_and_the_caret_and_runs_nothing(self):
        cell = self.error("print('never')\nx = = 1")
        self.assertEqual("", cell.out)
        self.assertEqual("SyntaxError", cell.error["name"])
        self.assertIn('File "<cell 1>", line 2\n    x = = 1\n        ^', cell.error["traceback"])

    def test_a_syntax_error_found_late_has_its_line_too(self):
        self.assertIn("    return 5", self.error("return 5").error["traceback"])

    def test_a_broken_error_is_reported(self):
        cell = self.error(
            "class E(Exception):\n    def __str__(self): raise RuntimeError\nraise E()"
        )
        self.assertEqual("E", cell.error["name"])

    def test_source_is_found_by_inspect(self):
        self.ok("def shown():\n    return 1")
        self.assertIn("return 1", self.ok("import inspect; inspect.getsource(shown)").text)

    def test_deep_recursion_is_an_error(self):
        self.assertEqual("RecursionError", self.error("def f(): f()\nf()").error["name"])


class Input(DriverTest):
    def test_reading_standard_input_ends_at_once_and_says_why(self):
        for code in (
            "input('? ')",
            "import sys; sys.stdin.readline()",
            "sys.stdin.read()",
            "breakpoint()",
        ):
            cell = self.error(code)
            self.assertEqual("EOFError", cell.error["name"], code)
            self.assertIn("a cell has no standard input", cell.error["message"], code)

    def test_help_does_not_hang(self):
        self.assertIn("len(", self.ok("help(len)").out)
        self.ok("help()")

    def test_a_debugger_does_not_hang(self):
        self.driver.run("import pdb; pdb.set_trace()\nx = 1", timeout=10)

    def test_a_child_reads_the_end_of_file(self):
        self.assertEqual("0\n", self.ok("!wc -c").out)


class Exits(DriverTest):
    def test_sys_exit_ends_the_cell_and_keeps_the_interpreter(self):
        self.ok("x = 1")
        cell = self.driver.run("import sys\nsys.exit(3)\nx = 2")
        self.assertEqual(("exited", 3, None), (cell.status, cell.exit_code, cell.error))
        self.assertEqual("1", self.ok("x").text)

    def test_the_other_forms_of_exit(self):
        for code, status, err in (
            ("exit()", 0, ""),
            ("raise SystemExit('why')", 1, "why\n"),
            ("quit(4)", 4, ""),
        ):
            cell = self.driver.run(code)
            self.assertEqual(("exited", status, err), (cell.status, cell.exit_code, cell.err), code)

    def test_os_exit_ends_the_process_with_its_code(self):
        self.assertEqual(7, self.driver.lost("import os; os._exit(7)"))

    def test_a_segfault_ends_the_process(self):
        self.assertEqual(
            -signal.SIGSEGV,
            self.driver.lost("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"),
        )

    def test_the_agents_exit_runs_exit_handlers(self):
        self.ok("import atexit; atexit.register(lambda: open('bye', 'w').close())")
        self.driver.send({"type": "exit"})
        self.assertEqual(0, self.driver.process.wait(30))
        self.assertTrue(os.path.exists(os.path.join(self.driver.directory, "bye")))

    def test_the_interpreter_ends_with_its_control_connection(self):
        self.ok("1")
        self.driver.control.shutdown(1)
        self.assertEqual(0, self.driver.process.wait(30))


class Interrupts(DriverTest):
    def interrupted(self, code):
        cell = self.driver.run_interrupted(code)
        self.assertEqual("interrupted", cell.status, cell)
        self.assertEqual("3", self.ok("1 + 2").text)
        return cell

    def test_loops_sleeps_waits_and_slow_patterns_end_and_state_is_kept(self):
        self.ok("import time, threading, re, os, subprocess, asyncio; kept = 5")
        for code in (
            "while True: pass",
            "time.sleep(60)",
            "threading.Event().wait()",
            "re.match('(a+)+b', 'a' * 40)",
            "os.system('sleep 60')",
            "subprocess.run(['sleep', '60'])",
            "!sleep 60",
            "await asyncio.sleep(60)",
            "asyncio.run(asyncio.sleep(60))",
            "while True: print('x' * 1000)",
            "async def f():\n    while True: pass\nawait f()",
        ):
            with self.subTest(code):
                self.interrupted(code)
        self.assertEqual("5", self.ok("kept").text)

    def test_finally_blocks_run(self):
        self.assertEqual(
            "clean\n",
            self.interrupted("import time\ntry: time.sleep(60)\nfinally: print('clean')").out,
        )

    def test_finally_blocks_of_coroutines_run(self):
        code = "import asyncio\nasync def f():\n    try: await asyncio.sleep(60)\n    finally: print('clean')\nawait f()"
        cell = self.interrupted(code)
        self.assertEqual("clean\n", cell.out)
        self.assertIn("await f()", cell.error["traceback"])

    def test_the_traceback_says_where(self):
        cell = self.interrupted("import time\ntime.sleep(60)")
        self.assertIn("line 2, in <module>\n    time.sleep(60)", cell.error["traceback"])
        self.assertTrue(cell.error["traceback"].endswith("KeyboardInterrupt"))

    def test_between_cells_an_interrupt_does_nothing(self):
        self.ok("x = 1")
        for _ in range(20):
            self.driver.interrupt()
        self.ok("import asyncio; await asyncio.sleep(0)")
        for _ in range(20):
            self.driver.interrupt()
        self.assertEqual("1", self.ok("x").text)

    def test_a_storm_of_interrupts_never_ends_the_interpreter(self):
        for _ in range(30):
            cell = self.driver.start("1")
            self.driver.interrupt()
            self.driver.interrupt()
            self.driver.finish(cell)
            self.assertIn(cell.status, ("ok", "interrupted"))
        self.assertEqual("2", self.ok("1 + 1").text)

    def test_a_cell_that_changed_the_handling_of_signals_harms_no_later_one(self):
        self.ok("import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)")
        self.interrupted("while True: pass")
        self.ok("signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])")
        self.interrupted("while True: pass")

    def test_a_task_of_an_earlier_cell_that_hogs_the_loop_can_be_interrupted(self):
        self.ok(
            "import asyncio, time\nasync def hog():\n    await asyncio.sleep(0.05)\n    while True: pass\nt = asyncio.create_task(hog()); await asyncio.sleep(0)"
        )
        time.sleep(0.3)
        cell = self.driver.start("5")
        time.sleep(0.1)
        self.driver.interrupt()
        self.assertEqual("5", self.driver.finish(cell, 5).text)


class ShellLines(DriverTest):
    def test_a_command_runs_with_the_cells_output(self):
        cell = self.ok("!echo out; echo err >&2")
        self.assertEqual(("out\n", "err\n"), (cell.out, cell.err))

    def test_commands_and_python_mix(self):
        cell = self.ok("x = 2\n!echo {x} $x $$HOME\nif x:\n    !echo inner\n    x += 1\nx")
        self.assertEqual("2 2", cell.out[:3])
        self.assertIn("inner\n", cell.out)
        self.assertEqual("3", cell.text)

    def test_a_command_that_fails_is_the_cells_error_and_stops_it(self):
        cell = self.error("!exit 4\nprint('never')")
        self.assertEqual("ShellError", cell.error["name"])
        self.assertIn("ended with 4", cell.error["message"])
        self.assertIn("    !exit 4", cell.error["traceback"])
        self.assertEqual("", cell.out)

    def test_pip_lines_run_this_interpreters_pip(self):
        for code in (
            "%pip --version",
            "!pip --version",
            "pip list --version",
            "python -m pip list --version",
            "pip3 list --version",
        ):
            self.assertIn("pip ", self.ok(code, timeout=60).out, code)

    def test_an_unknown_package_is_an_error_with_pips_words(self):
        cell = self.error("pip install --no-index no-such-package-here", timeout=60)
        self.assertIn("No matching distribution", cell.err)

    def test_an_installed_package_is_imported_by_the_next_cell(self):
        self.ok(
            "import os, sys\nos.makedirs('src/fresh_pkg'); sys.path.insert(0, os.path.abspath('lib'))\nos.makedirs('lib')"
        )
        self.error("import fresh_pkg")
        self.ok("!cp -r src/fresh_pkg lib/ && echo 'v = 8' > lib/fresh_pkg/__init__.py")
        self.assertEqual("8", self.ok("import fresh_pkg; fresh_pkg.v").text)

    def test_python_that_looks_like_a_command_stays_python(self):
        self.assertEqual("3", self.ok("pip = 3; pip").text)
        self.assertEqual(
            "'\\n!echo no\\npip install x\\n'", self.ok("'''\n!echo no\npip install x\n'''").text
        )
        self.assertEqual("True", self.ok("(1\n!= 2)").text)

    def test_a_continued_line_is_one_command_and_later_lines_keep_their_numbers(self):
        cell = self.error("!echo a \\\n  b\n1/0")
        self.assertEqual("a b\n", cell.out)
        self.assertIn("line 3", cell.error["traceback"])

    def test_a_syntax_error_beside_a_command_is_python_s(self):
        cell = self.error("!echo never\nx = = 1")
        self.assertEqual(("SyntaxError", ""), (cell.error["name"], cell.out))


class Processes(DriverTest):
    def test_multiprocessing_by_fork_works(self):
        code = "import multiprocessing as m\ndef sq(x): return x * x\nwith m.get_context('fork').Pool(2) as p: r = p.map(sq, [1, 2, 3])\nr"
        cell = self.ok(code, timeout=30)
        self.assertEqual(("[1, 4, 9]", ""), (cell.text, cell.err))

    def test_a_forked_child_that_runs_on_takes_no_part_in_the_conversation(self):
        code = "import os\npid = os.fork()\nif pid == 0: print('child')\nelse: code = os.waitpid(pid, 0)[1]\npid and code"
        cell = self.ok(code)
        self.assertEqual(("child\n", "0"), (cell.out, cell.text))
        cell = self.ok("pid = os.fork()\nif pid == 0: 1/0\nos.waitpid(pid, 0)[1] >> 8")
        self.assertEqual("1", cell.text)
        self.assertIn("ZeroDivisionError", cell.err)

    def test_children_inherit_no_descriptor_of_the_driver(self):
        self.assertEqual("0 1 2 3", " ".join(self.ok("!ls /proc/self/fd").out.split()))
        self.assertEqual(
            "0 1 2 3", " ".join(self.ok("import os; os.system('ls /proc/self/fd')").out.split())
        )

    def test_children_have_signals_as_usual(self):
        self.ok("import os; assert os.system('kill -INT $$') != 0")


class Sabotage(DriverTest):
    def test_lost_streams_come_back_for_the_next_cell(self):
        for code in (
            "import sys; sys.stdout = sys.stderr = sys.stdin = None",
            "sys.stdout.close(); sys.stdout = open('f', 'w'); sys.stdout.close()",
            "del sys.stdout, sys.stderr",
        ):
            self.driver.run(code)
            self.assertEqual("here\n", self.ok("import sys; print('here')").out)

    def test_closed_descriptors_come_back_for_the_next_cell(self):
        self.driver.run("import os\nfor fd in (0, 1, 2): os.close(fd)")
        self.assertEqual("here\n", self.ok("os.system('echo here'); None").out)

    def test_replaced_builtins_and_modules_do_not_stop_the_reporting(self):
        self.driver.run(
            "import builtins, json, os, sys, io\nbuiltins.len = builtins.print = builtins.isinstance = None\ndel builtins.getattr, builtins.str"
        )
        self.driver.run("json.dumps = os.write = os.read = os.getpid = sys.exc_info = None")
        self.assertEqual("2", self.ok("1 + 1").text)
        self.assertEqual("ZeroDivisionError", self.error("1/0").error["name"])

    def test_a_monkeypatched_traceback_module_does_not_hide_the_error(self):
        self.driver.run(
            "import traceback, linecache\ntraceback.format_exception = linecache.getlines = None"
        )
        self.assertEqual("ZeroDivisionError", self.error("1/0").error["name"])

    def test_an_emptied_namespace_and_main_module_are_survived(self):
        self.driver.run("globals().clear()")
        self.driver.run("import sys; del sys.modules['__main__']")
        self.assertEqual("2", self.ok("1 + 1").text)

    def test_a_low_recursion_limit_is_survived(self):
        self.driver.run("import sys; sys.setrecursionlimit(60)")
        self.driver.run("1/0")
        self.ok("sys.setrecursionlimit(1000)")

    def test_a_dead_interpreter_is_seen_at_once_where_the_connection_is_closed(self):
        with self.assertRaises(Lost):
            self.driver.run("import os; os.closerange(3, 10000)")

    def test_a_memory_error_is_an_error(self):
        self.ok("import resource; resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))")
        self.assertEqual("MemoryError", self.error("x = bytearray(1 << 30)").error["name"])
        self.assertEqual("1", self.ok("1").text)


class HostileEnvironment(DriverTest):
    environment = {
        "PYTHONSTARTUP": "/nonexistent.py",
        "PYTHONWARNINGS": "error",
        "PYTHONIOENCODING": "latin-1",
        "BASH_ENV": "/dev/tty",
    }

    def test_variables_of_the_environment_do_not_stop_the_driver(self):
        self.assertEqual("é\n", self.ok("print('é')").out)
        self.ok("await __import__('asyncio').sleep(0)")


if __name__ == "__main__":
    unittest.main()
