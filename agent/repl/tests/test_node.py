"""What a Node cell does. Each test is a claim; the agent's own tests add timeouts and kills."""

import os
import signal
import time
import unittest

from harness import DriverTest, Lost


class NodeTest(DriverTest):
    language = "node"


class State(NodeTest):
    def test_variables_functions_and_classes_are_kept(self):
        self.ok(
            "let x = 2; const f = () => x * 2; function g() { return 3 } class C { y = 5 }\nvar v = 1"
        )
        self.assertEqual("[ 6, 3, 5, 1 ]", self.ok("x += 1; [f(), g(), new C().y, v]").text)

    def test_a_name_may_be_declared_again(self):
        for _ in range(2):
            self.ok("const fs = require('fs'); let n = 1; class K {}")
        self.assertEqual("'function'", self.ok("typeof fs.readFileSync").text)

    def test_an_exception_stops_the_cell_and_keeps_the_state_before_it(self):
        self.error("let a = 1; throw new Error('stop'); a = 2")
        self.assertEqual("1", self.ok("a").text)

    def test_lines_are_taken_as_in_a_file(self):
        code = "let r = []\nif (false) {\n  r.push(1)\n}\nelse {\n  r.push(2)\n}\nr = r\n  .map(x => x + 1)\n  .concat(1\n  > 0)\nr"
        self.assertEqual("[ 3, true ]", self.ok(code).text)

    def test_the_environment_is_set_in_the_running_interpreter(self):
        self.driver.send({"type": "environment", "set": {"GIVEN": "é", "HOME": None}})
        self.assertEqual(
            "[ 'é', undefined ]", self.ok("[process.env.GIVEN, process.env.HOME]").text
        )


class Results(NodeTest):
    def test_only_the_last_expression_is_shown(self):
        self.assertEqual(("3", ""), ((cell := self.ok("1; 2; 3")).text, cell.out))

    def test_undefined_and_declarations_show_nothing(self):
        for code in ("undefined", "const x = 5", "", "// comment", "function f() {}", "if (0) 1"):
            self.assertIsNone(self.ok(code).data, code)

    def test_values_are_inspected_without_colours(self):
        for code, text in (
            ("new Map([[1, { a: 2 }]])", "Map(1) { 1 => { a: 2 } }"),
            ("5n", "5n"),
            ("-0", "-0"),
            ("NaN", "NaN"),
            ("'text'", "'text'"),
            ("Symbol('s')", "Symbol(s)"),
            ("null", "null"),
            ("(function named() {})", "[Function: named]"),
            ("new (class A { x = 1 })", "A { x: 1 }"),
            ("Promise.resolve(7)", "Promise { 7"),
        ):
            self.assertTrue(" ".join(self.ok(code).text.split()).startswith(text), code)

    def test_an_object_literal_is_a_value(self):
        self.assertEqual("{ a: 1, b: [ 2 ] }", self.ok("{ a: 1, b: [2] }").text)
        self.assertEqual("3", self.ok("{ let q = 1; q + 2 }").text)

    def test_plain_data_comes_as_json_too_and_text_first(self):
        cell = self.ok("({ a: [1, 2.5, null, true, 'é'] })")
        self.assertEqual({"a": [1, 2.5, None, True, "é"]}, cell.json)
        self.assertEqual("text/plain", next(iter(cell.data)))

    def test_what_json_cannot_hold_comes_as_text_only(self):
        for code in (
            "NaN",
            "new Date(0)",
            "({ f() {} })",
            "[,1]",
            "'\\ud800'",
            "({ get a() { return 1 } })",
            "new Proxy({}, {})",
            "5n",
        ):
            self.assertEqual({"text/plain"}, set(self.ok(code).data), code)

    def test_a_cyclic_value_is_shown(self):
        self.assertIn("[Circular *1]", self.ok("const c = {}; c.c = c; c").text)

    def test_a_huge_value_is_cut_in_the_middle(self):
        text = self.ok("'a'.repeat(5e6) + 'z'").text
        self.assertLess(len(text), 1_001_000)
        self.assertIn("more characters", text)

    def test_an_inspector_that_raises_is_the_cells_error(self):
        self.assertEqual(
            "no",
            self.error("({ [require('util').inspect.custom]() { throw new Error('no') } })").error[
                "message"
            ],
        )


class Output(NodeTest):
    def test_stdout_and_stderr_are_complete_without_a_newline(self):
        cell = self.ok("process.stdout.write('out'); process.stderr.write('err'); undefined")
        self.assertEqual(("out", "err"), (cell.out, cell.err))

    def test_console_error_is_not_an_error(self):
        self.assertEqual("bad\n", self.ok("console.error('bad')").err)

    def test_streams_descriptors_and_children_keep_their_order(self):
        code = (
            "const cp = require('child_process')\nprocess.stdout.write('a'); require('fs').writeSync(1, 'b'); console.log('c')\n"
            "cp.execSync('printf d', { stdio: 'inherit' }); process.stdout.write('e')\n"
            "await new Promise(r => cp.spawn('printf', ['f'], { stdio: 'inherit' }).on('close', r)); console.log('g')"
        )
        self.assertEqual("abc\ndefg\n", self.ok(code).out)

    def test_bytes_are_kept_as_they_are(self):
        self.assertEqual(
            b"\xff\x00\x1b[31m",
            self.ok("process.stdout.write(Buffer.from('ff001b5b33316d', 'hex')); 0").stdout,
        )

    def test_megabytes_arrive_whole(self):
        cell = self.ok(
            "console.log('x'.repeat(1e7)); for (let i = 0; i < 20000; i++) console.log(i)"
        )
        self.assertEqual(10_000_001 + sum(len(str(i)) + 1 for i in range(20000)), len(cell.stdout))

    def test_a_write_callback_and_drain_are_called(self):
        self.ok("await new Promise(r => process.stdout.write('x'.repeat(1e6), r))")

    def test_a_piped_stream_does_not_end_stdout(self):
        self.ok(
            "require('stream').Readable.from(['piped']).pipe(process.stdout); await new Promise(r => setTimeout(r, 50))"
        )
        self.assertEqual("still\n", self.ok("console.log('still')").out)


class Background(NodeTest):
    def test_a_timer_that_outlives_its_cell_writes_in_the_background_even_during_another_cell(self):
        self.ok("setTimeout(() => console.log('late'), 200); console.log('now')")
        cell = self.ok("await new Promise(r => setTimeout(r, 400)); console.log('own')")
        self.assertEqual("own\n", cell.out)
        self.assertEqual(b"late\n", self.driver.background_until(1, b"late\n"))

    def test_promises_and_io_of_an_earlier_cell_write_in_the_background(self):
        self.ok(
            "(async () => { await new Promise(r => setTimeout(r, 100)); console.log('one')\n"
            "await require('fs/promises').readFile('/etc/hostname').catch(() => 0); console.error('two') })(); 0"
        )
        cell = self.ok("await new Promise(r => setTimeout(r, 300))")
        self.assertEqual(("", ""), (cell.out, cell.err))
        self.assertIn(b"one", self.driver.background_until(1, b"one"))
        self.assertIn(b"two", self.driver.background_until(2, b"two"))

    def test_a_cell_ends_when_its_code_ends(self):
        cell = self.ok("setTimeout(() => console.log('late'), 20000); 1")
        self.assertLess(cell.seconds, 15)
        self.assertEqual("", cell.out)

    def test_a_server_answers_between_cells(self):
        port = self.ok(
            "const server = require('net').createServer(s => s.end('hi')).listen(0, '127.0.0.1')\n"
            "await new Promise(r => server.on('listening', r)); server.address().port"
        ).json
        import socket

        with socket.create_connection(("127.0.0.1", port), 3) as client:
            self.assertEqual(b"hi", client.recv(10))

    def test_an_exception_in_a_late_timer_is_background_and_the_process_lives(self):
        self.ok("setTimeout(() => { throw new Error('late failure') }, 100); 1")
        self.assertIn(b"late failure", self.driver.background_until(2, b"late failure"))
        self.assertEqual("2", self.ok("1 + 1").text)

    def test_a_late_rejection_is_background_and_the_process_lives(self):
        self.ok("setTimeout(() => Promise.reject(new Error('late rejection')), 100); 1")
        self.assertIn(b"late rejection", self.driver.background_until(2, b"late rejection"))
        self.assertEqual("2", self.ok("1 + 1").text)


class Errors(NodeTest):
    def test_an_error_has_name_message_and_a_stack_of_cell_lines_only(self):
        cell = self.error("function f() {\n  throw new TypeError('x')\n}\nf()")
        self.assertEqual(("TypeError", "x"), (cell.error["name"], cell.error["message"]))
        self.assertEqual(
            "TypeError: x\n    at f (<cell 1>:2:9)\n    at <cell 1>:4:1", cell.error["traceback"]
        )

    def test_an_undefined_name_and_an_error_of_node_are_errors(self):
        self.assertIn("missing is not defined", self.error("missing").error["message"])
        cell = self.error("require('fs').readFileSync('/nowhere')")
        self.assertIn("code: 'ENOENT'", cell.error["traceback"])
        self.assertNotIn("node:", cell.error["traceback"])

    def test_a_syntax_error_has_the_line_and_the_caret_and_runs_nothing(self):
        cell = self.error("console.log('never')\nlet q = ;")
        self.assertEqual(("SyntaxError", ""), (cell.error["name"], cell.out))
        self.assertTrue(
            cell.error["traceback"].startswith("<cell 1>:2\nlet q = ;\n        ^\n"), cell
        )

    def test_a_syntax_error_at_run_time_is_not_shown_as_the_cells(self):
        self.assertIn("at <cell 1>:1:6", self.error("JSON.parse('{')").error["traceback"])

    def test_what_is_thrown_need_not_be_an_error(self):
        self.assertEqual("Uncaught { a: 1 }", self.error("throw { a: 1 }").error["traceback"])
        self.assertEqual("Uncaught undefined", self.error("throw undefined").error["traceback"])

    def test_an_awaited_rejection_is_the_error(self):
        self.assertEqual("r", self.error("await Promise.reject(new Error('r'))").error["message"])

    def test_a_rejection_that_nobody_handles_is_the_error_of_its_cell(self):
        cell = self.error("Promise.reject(new Error('lost')); 3")
        self.assertEqual("lost", cell.error["message"])
        self.assertEqual("1", self.ok("Promise.reject(1).catch(() => 0); 1").text)

    def test_an_exception_in_a_timer_of_the_running_cell_is_its_error(self):
        cell = self.error(
            "setTimeout(() => { throw new Error('t') }, 10); await new Promise(r => setTimeout(r, 50))"
        )
        self.assertEqual("t", cell.error["message"])

    def test_causes_are_shown(self):
        self.assertIn(
            "[cause]: Error: inner",
            self.error("throw new Error('outer', { cause: new Error('inner') })").error[
                "traceback"
            ],
        )

    def test_a_stack_that_the_code_prints_is_as_clean(self):
        self.assertEqual(
            "Error: x\n    at <cell 1>:1:13\n", self.ok("console.log(new Error('x').stack)").out
        )


class Modules(NodeTest):
    def test_static_imports_work_and_may_be_repeated(self):
        for _ in range(2):
            cell = self.ok(
                "import os, { EOL as eol } from 'os'; import * as path from \"node:path\"\nimport 'fs'\nimport {\n  readFileSync,\n  // why\n  default as fs\n} from 'fs';\n"
                "[typeof os.cpus, eol, path.sep, fs.readFileSync === readFileSync]"
            )
            self.assertEqual("[ 'function', '\\n', '/', true ]", cell.text)

    def test_lines_after_an_import_keep_their_numbers(self):
        self.assertIn(
            "<cell 1>:4:7",
            self.error("import {\n  join\n} from 'path'\nthrow new Error('x')").error["traceback"],
        )

    def test_dynamic_import_works_at_the_top_and_in_functions(self):
        self.assertEqual("'/'", self.ok("(await import('path')).sep").text)
        self.assertEqual(
            "'/'",
            self.ok("const load = async n => (await import(n)).sep; await load('node:path')").text,
        )

    def test_text_that_looks_like_an_import_is_left_alone(self):
        code = "const t = `\nimport x from 'y'\n!echo ${'import(1)'}`\n/* import a from 'b'\n*/ // import('c')\nconst o = { import: 1 }; const re = /import('x')/; [t, o.import, re.source]"
        self.assertEqual(
            ["\nimport x from 'y'\n!echo import(1)", 1, "import('x')"], self.ok(code).json
        )

    def test_files_in_the_working_directory_are_found(self):
        self.ok(
            "const w = require('fs').writeFileSync; w('a.js', 'module.exports = 1'); w('b.mjs', 'export default 2; export const c = 3')"
        )
        self.assertEqual(
            "[ 1, 2, 3 ]", self.ok("import b, { c } from './b.mjs'\n[require('./a'), b, c]").text
        )

    def test_require_module_and_argv_are_those_of_a_script_there(self):
        cell = self.ok(
            "[__dirname, __filename, require.main === module, process.argv.length, process.argv[1], process.execArgv.length]"
        )
        here = os.path.realpath(self.driver.directory)
        self.assertEqual([here, here + "/cell.js", True, 2, here + "/cell.js", 0], cell.json)

    def test_require_follows_the_working_directory(self):
        self.ok(
            "require('fs').mkdirSync('sub'); require('fs').writeFileSync('sub/s.js', 'module.exports = 4'); process.chdir('sub')"
        )
        self.assertEqual("4", self.ok("require('./s')").text)

    def test_the_drivers_names_are_not_global(self):
        names = self.ok(
            "Object.keys(globalThis).filter(n => /microsandbox|driver|session/i.test(n))"
        ).json
        self.assertEqual([], names)


class Input(NodeTest):
    def test_standard_input_is_at_its_end(self):
        cell = self.ok(
            "process.stdin.on('data', d => console.log(d)).on('end', () => console.log('end')); await new Promise(r => setTimeout(r, 50))"
        )
        self.assertEqual("end\n", cell.out)
        self.assertIn("a cell has no standard input", cell.err)
        self.assertEqual("''", self.ok("require('fs').readFileSync(0, 'utf8')").text)

    def test_a_question_ends_at_once_and_says_why_every_time(self):
        for _ in range(2):
            cell = self.error(
                "await require('readline/promises').createInterface({ input: process.stdin }).question('name? ')"
            )
            self.assertEqual("a cell has no standard input", cell.error["message"])
            self.assertLess(cell.seconds, 15)
        self.ok(
            "for await (const line of require('readline').createInterface({ input: process.stdin })) console.log(line)"
        )


class Exits(NodeTest):
    def test_process_exit_ends_the_process_with_its_code(self):
        self.assertEqual(3, self.driver.lost("process.exit(3)"))

    def test_an_abort_ends_the_process(self):
        self.assertEqual(-signal.SIGKILL, self.driver.lost("process.kill(process.pid, 'SIGKILL')"))

    def test_the_agents_exit_runs_exit_handlers(self):
        self.ok("process.on('exit', () => require('fs').writeFileSync('bye', ''))")
        self.driver.send({"type": "exit"})
        self.assertEqual(0, self.driver.process.wait(30))
        self.assertTrue(os.path.exists(os.path.join(self.driver.directory, "bye")))

    def test_the_interpreter_ends_with_its_control_connection(self):
        self.ok("setInterval(() => 0, 1000); 1")
        self.driver.control.shutdown(1)
        self.assertEqual(0, self.driver.process.wait(30))


class Interrupts(NodeTest):
    def interrupted(self, code):
        cell = self.driver.run_interrupted(code)
        self.assertEqual("interrupted", cell.status, cell)
        self.assertEqual("3", self.ok("1 + 2").text)
        self.assertEqual("4", self.ok("await new Promise(r => setTimeout(r, 5)); 4").text)
        return cell

    def test_whatever_a_cell_is_busy_with_ends_and_state_is_kept(self):
        self.ok("const kept = 5; const cp = require('child_process')")
        for code in (
            "while (true) {}",
            "await 1; while (true) {}",
            "await new Promise(() => {})",
            "for (;;) try { for (;;); } catch {} finally {}",
            "for (;;) console.log(1)",
            "/(a+)+b/.test('a'.repeat(40))",
            "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)",
            "var i = () => setImmediate(i); i(); await new Promise(() => {})",
            "setTimeout(() => { for (;;); }, 0); await new Promise(() => {})",
            "setImmediate(() => { for (;;); }); await new Promise(() => {})",
            "process.nextTick(() => { for (;;); })",
            "(function f() { try { f() } catch { for (;;); } })()",
            "({ [require('util').inspect.custom]() { for (;;); } })",
            "throw { [require('util').inspect.custom]() { for (;;); } }",
            "cp.execSync('sleep 60')",
            "!sleep 60",
        ):
            with self.subTest(code):
                self.interrupted(code)
                self.ok("i = () => {}")
        self.assertEqual("5", self.ok("kept").text)

    def test_storms_of_microtasks_end_at_once_from_node_24_on_with_state_kept(self):
        for code in (
            "var m = () => queueMicrotask(m); m()",
            "var t = () => process.nextTick(t); t()",
            "for await (const x of (async function* () { for (;;) yield 1 })());",
        ):
            with self.subTest(code):
                self._driver = None
                try:
                    self.interrupted(code)
                except Lost:  # Node's promise hooks of before can make it abort; the agent then starts another
                    self.assertLess(int(self.driver.ready["version"].split(".")[0]), 24)

    def test_a_first_cell_sent_at_once_can_be_interrupted(self):
        cell = self.driver.start("while (true) {}")
        self.assertEqual("started", self.driver.receive(5, cell)["type"])
        self.driver.interrupt()
        self.assertEqual("interrupted", self.driver.finish(cell, 5).status)
        self.assertEqual("3", self.ok("1 + 2").text)

    def test_an_abandoned_promise_may_be_collected(self):
        self.ok(
            "require('v8').setFlagsFromString('--expose-gc'); var collect = require('vm').runInNewContext('gc')"
        )
        self.interrupted("await new Promise(() => {})")
        self.ok(
            "for (let n = 0; n < 5; n++) { collect(); await new Promise(r => setTimeout(r, 5)) }"
        )
        cell = self.driver.start(
            "setTimeout(() => { collect(); console.log('collected') }, 20); await new Promise(() => {})"
        )
        self.driver.receive(5, cell)
        self.driver.collect(0.3, cell)
        self.driver.interrupt()
        self.assertEqual("interrupted", self.driver.finish(cell).status)
        self.assertEqual("collected\n", cell.out)

    def test_between_cells_an_interrupt_does_nothing(self):
        self.ok("const x = 1")
        for _ in range(20):
            self.driver.interrupt()
        time.sleep(0.1)
        self.assertEqual("1", self.ok("x").text)

    def test_an_interrupt_before_its_cell_ends_the_cell(self):
        self.ok("1")
        self.driver.ids += 1
        self.driver.send({"type": "interrupt", "id": self.driver.ids}, on=self.driver.interrupts)
        time.sleep(0.2)
        self.driver.ids -= 1
        self.assertEqual("interrupted", self.driver.run("for (;;);").status)
        self.assertEqual("1", self.ok("1").text)

    def test_a_loop_in_a_timer_of_an_earlier_cell_is_stopped_as_well(self):
        self.ok("setTimeout(() => { for (;;); }, 50); 1")
        time.sleep(0.2)
        cell = self.driver.start("7")
        time.sleep(0.1)
        self.driver.send({"type": "interrupt", "id": self.driver.ids}, on=self.driver.interrupts)
        self.assertEqual("interrupted", self.driver.finish(cell, 5).status)
        self.assertEqual("7", self.ok("7").text)


class ShellLines(NodeTest):
    def test_a_command_runs_with_the_cells_output(self):
        cell = self.ok("!echo out; echo err >&2")
        self.assertEqual(("out\n", "err\n"), (cell.out, cell.err))

    def test_commands_and_javascript_mix(self):
        cell = self.ok("let x = 2\n!echo one\nx += 1\n!echo two \\\n  three\nx")
        self.assertEqual(("one\ntwo three\n", "3"), (cell.out, cell.text))

    def test_a_command_that_fails_is_the_cells_error_and_stops_it(self):
        cell = self.error("!exit 4\nconsole.log('never')")
        self.assertEqual("ShellError", cell.error["name"])
        self.assertIn("ended with 4", cell.error["message"])
        self.assertEqual("", cell.out)

    def test_npm_lines_run_npm(self):
        for code in ("npm view --help", "%npm --version", "!npm --version", "npx --help"):
            self.assertNotEqual("", self.ok(code, timeout=60).out, code)

    def test_an_installed_package_is_there_for_the_next_cell(self):
        self.ok("const fs = require('fs'); fs.mkdirSync('src/pad', { recursive: true })")
        self.ok(
            "fs.writeFileSync('src/pad/package.json', JSON.stringify({ name: 'pad', version: '1.0.0', main: 'lib.js' })); fs.writeFileSync('src/pad/lib.js', 'exports.v = 8')"
        )
        self.error("require('pad')")
        self.error("await import('pad')")
        self.ok("npm install --offline --no-audit --no-fund ./src/pad", timeout=60)
        self.assertEqual("[ 8, 8 ]", self.ok("import { v } from 'pad'\n[require('pad').v, v]").text)

    def test_an_unknown_package_is_an_error_with_npms_words(self):
        cell = self.error("npm install --offline no-such-package-here", timeout=60)
        self.assertIn("npm error", cell.err.lower().replace("npm err!", "npm error"))

    def test_javascript_that_looks_like_a_command_stays_javascript(self):
        self.assertEqual("3", self.ok("const npm = 3; npm").text)
        self.assertEqual("false", self.ok("!function () { return 1 }()").text)
        self.assertEqual("true", self.ok("!!1").text)


class Processes(NodeTest):
    def test_a_forked_module_is_a_plain_program(self):
        self.ok("require('fs').writeFileSync('child.js', 'process.send(process.argv.length)')")
        self.assertEqual(
            "2",
            self.ok(
                "await new Promise(r => require('child_process').fork('./child.js').on('message', r))"
            ).text,
        )

    def test_worker_threads_work(self):
        self.assertEqual(
            "4",
            self.ok(
                "const { Worker } = require('worker_threads'); await new Promise(r => new Worker('require(\"worker_threads\").parentPort.postMessage(4)', { eval: true }).on('message', r))"
            ).text,
        )

    def test_children_inherit_no_descriptor_of_the_driver(self):
        self.assertEqual("0 1 2 3", " ".join(self.ok("!ls /proc/self/fd").out.split()))


class Sabotage(NodeTest):
    def test_replaced_globals_do_not_stop_the_reporting(self):
        self.driver.run(
            "JSON.stringify = JSON.parse = () => 'x'; Object.prototype.toJSON = () => 'hostile'; fs = require('fs'); fs.writeSync = null"
        )
        self.driver.run(
            "globalThis.setImmediate = globalThis.process = globalThis.console = globalThis.Buffer = undefined"
        )
        self.driver.run(
            "Object.keys = Object.defineProperty = require('util').inspect = null; Error.stackTraceLimit = 0"
        )
        self.assertEqual("2", self.ok("1 + 1").text)
        self.assertEqual("x", self.error("throw new Error('x')").error["message"])

    def test_lost_listeners_and_streams_come_back_for_the_next_cell(self):
        self.driver.run("process.removeAllListeners(); process.stdout.end('bye')")
        self.assertEqual("here\n", self.ok("console.log('here')").out.replace("bye", ""))
        self.assertEqual("e", self.error("Promise.reject(new Error('e'))").error["message"])

    def test_a_prepareStackTrace_of_the_tenants_is_theirs(self):
        self.ok("Error.prepareStackTrace = () => { throw new Error('no') }")
        self.assertEqual("x", self.error("throw new Error('x')").error["message"])

    def test_a_driver_that_is_gone_is_seen(self):
        self.assertNotEqual(0, self.driver.lost("process.abort()"))


class HostileEnvironment(NodeTest):
    environment = {
        "NODE_DEBUG": "",
        "FORCE_COLOR": "1",
        "NODE_NO_WARNINGS": "1",
        "BASH_ENV": "/dev/tty",
    }

    def test_variables_of_the_environment_do_not_change_results(self):
        self.assertEqual("{ a: 1 }", self.ok("({ a: 1 })").text)


if __name__ == "__main__":
    unittest.main()
