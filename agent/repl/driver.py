# The Python driver: keeps one context and runs the agent's cells in it, one at a time (spec/driver.md).
#
# Cells run in the main thread, in the namespace of the real `__main__`; this file's own names are elsewhere, and it has a
# copy of the builtins, so that a cell which replaces them breaks only itself. An interpreter starts before it is asked
# for, and a thousand may wait: so this file is compiled at each start, stays short, and imports nothing at the start that
# the interpreter has not loaded already. No thread is started: forking with threads is unsafe, and Python warns of it.

import _ast
import _contextvars
import _json
import _signal
import _thread
import builtins
import io
import os
import sys

CONTROL = 4
STDOUT, STDERR = 1, 2
BACKGROUND = {STDOUT: 5, STDERR: 6}
HIGH = 500  # descriptors from here on are seldom closed or reused by accident
MAX_FRAME = 8 << 20
MAX_TEXT = 1_000_000
MAX_JSON = 250_000
NO_INPUT = "a cell has no standard input"
FILE = "<microsandbox>"  # the name that the bootstrap compiles this file under
TOP_LEVEL_AWAIT = 0x2000
AST_ONLY = 0x400
FUTURE_FLAGS = 0x1FE0000
IS_COROUTINE = 0x80
SHELL_NAME = "__microsandbox_shell__"

read, write, close, getpid, leave = os.read, os.write, os.close, os.getpid, os._exit
main = sys.modules["__main__"]
namespace = main.__dict__

# ---- descriptors and frames --------------------------------------------------------------------


def move_high(fd, copy=False):
    """The same description under a high number that no child inherits."""
    import fcntl

    for floor in (HIGH, 200, 40, 10):
        try:
            high = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, floor)
        except OSError:  # the limit on descriptors is below that
            continue
        if not copy:
            close(fd)
        return high
    os.set_inheritable(fd, False)
    return fd


def write_all(fd, data):
    view = memoryview(data)
    while view:
        try:
            view = view[write(fd, view) :]
        except BlockingIOError:  # a child made the shared pipe non-blocking
            os.set_blocking(fd, True)


def read_exactly(size):
    parts = []
    while size:
        part = read(control, min(size, 1 << 20))
        if not part:
            leave(0)  # the agent is gone
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


class JsonSettings:
    """What json's decoder would tell the scanner; the json package itself costs 4 ms to import."""

    strict = False
    object_hook = object_pairs_hook = None
    parse_float, parse_int = float, int
    parse_constant = float
    memo = {}


scan_json = _json.make_scanner(JsonSettings())


def receive():
    size = int.from_bytes(read_exactly(4), "big")
    if size > MAX_FRAME:
        leave(1)
    return scan_json(read_exactly(size).decode("utf-8", "replace"), 0)[0]


def send(*messages):
    """Writes messages, given as JSON texts, in one go."""
    frames = [encode(message) for message in messages]
    try:
        write_all(control, b"".join(len(frame).to_bytes(4, "big") + frame for frame in frames))
    except OSError:
        leave(1)


def encode(text):
    try:
        return text.encode()
    except UnicodeEncodeError:  # lone surrogates
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def quote(text):
    return _json.encode_basestring(text)


def shorten(text):
    if len(text) <= MAX_TEXT:
        return text
    half = MAX_TEXT // 2
    left_out = len(text) - MAX_TEXT
    return f"{text[:half]}\n… {left_out} characters left out …\n{text[-half:]}"


# ---- whose code is running ---------------------------------------------------------------------

origin = _contextvars.ContextVar("origin")  # the id of the cell that started the running code


class State:
    running = 0  # the id of the cell that runs
    number = 0  # of that cell, as shown
    interruptible = False
    forked = False
    future_flags = 0
    loop = None


def is_of_running_cell():
    started_by = origin.get(None)
    if started_by is None:  # a thread that C code made, or an empty context in the main thread
        return State.running and _thread.get_ident() == main_thread
    return started_by == State.running


main_thread = _thread.get_ident()


def tagging(start):
    """Wraps one of _thread's functions that start a thread, so that the thread knows its cell."""

    def start_thread(function, *args, **options):
        started_by = origin.get(None)

        def tagged(*args, **options):
            origin.set(started_by)
            return function(*args, **options)

        return start(tagged if started_by is not None else function, *args, **options)

    return start_thread


def tag_threads():
    for name in ("start_new_thread", "start_new", "start_joinable_thread"):
        if hasattr(_thread, name):
            setattr(_thread, name, tagging(getattr(_thread, name)))
    if "threading" in sys.modules:
        threading = sys.modules["threading"]
        for name in ("_start_new_thread", "_start_joinable_thread"):
            if hasattr(threading, name):
                setattr(threading, name, getattr(_thread, name[1:]))


def tag_pool_work():
    """Makes a pool's thread, which an earlier cell may have started, work as the cell that gave it the work."""
    pools = sys.modules.get("concurrent.futures.thread")
    item = getattr(pools, "_WorkItem", None)
    if item is None or hasattr(item, "microsandbox_origin"):
        return
    make, run = item.__init__, item.run

    def tagged_make(self, *args, **options):
        make(self, *args, **options)
        self.microsandbox_origin = origin.get(None)

    def tagged_run(self, *args, **options):
        token = origin.set(self.microsandbox_origin)
        try:
            return run(self, *args, **options)
        finally:
            origin.reset(token)

    item.microsandbox_origin = None
    item.__init__, item.run = tagged_make, tagged_run


# ---- standard streams --------------------------------------------------------------------------


class Output(io.TextIOBase):
    """sys.stdout or sys.stderr. Unbuffered, so that children and os.write keep their place in the order."""

    encoding = "utf-8"
    errors = "surrogateescape"
    newlines = None
    line_buffering = write_through = True
    mode = "w"

    def __init__(self, fd, name):
        self._fd, self.name = fd, name
        self.buffer = OutputBytes(fd, name)

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        try:
            data = text.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            data = text.encode("utf-8", "backslashreplace")
        self.buffer.write(data)
        return len(text)

    def fileno(self):
        return self._fd

    def writable(self):
        return True

    def flush(self):
        pass

    def close(self):
        pass

    def reconfigure(self, **options):
        pass


class OutputBytes(io.BufferedIOBase):
    """sys.stdout.buffer."""

    mode = "wb"

    def __init__(self, fd, name):
        self._fd, self.name = fd, name

    def write(self, data):
        write_all(self._fd if is_of_running_cell() else BACKGROUND[self._fd], data)
        return len(data)

    def fileno(self):
        return self._fd

    def writable(self):
        return True

    def flush(self):
        pass

    def close(self):
        pass

    @property
    def raw(self):
        return self


class NoInput(io.TextIOBase):
    """sys.stdin: every attempt to read ends at once, with the reason."""

    encoding = "utf-8"
    errors = "strict"
    name = "<stdin>"
    mode = "r"

    def read(self, *_):
        raise EOFError(NO_INPUT)

    readline = readlines = readinto = read1 = __next__ = read

    def fileno(self):
        return 0

    def readable(self):
        return True

    def close(self):
        pass

    @property
    def buffer(self):
        return self


stdout, stderr, stdin = Output(STDOUT, "<stdout>"), Output(STDERR, "<stderr>"), NoInput()


def install_streams():
    """At the start, and again where a cell has left nothing usable."""
    for name, stream in (("stdout", stdout), ("stderr", stderr), ("stdin", stdin)):
        current = getattr(sys, name, None)
        if current is None or (current is not stream and getattr(current, "closed", False) is True):
            setattr(sys, name, stream)


def reopen_closed():
    """Puts descriptors 0 to 2 back where a cell closed them: the next file opened would become its output."""
    for fd, spare in enumerate(spares):
        try:
            os.fstat(fd)
        except OSError:
            os.dup2(spare, fd)


def no_breakpoint(*_, **__):
    raise EOFError(f"{NO_INPUT}, so breakpoint() has nobody to ask")


# ---- interrupts --------------------------------------------------------------------------------


def on_sigint(_signum, frame):
    if State.interruptible or is_cell_code(frame):
        raise KeyboardInterrupt


def is_cell_code(frame):
    """Whether a cell's code keeps the main thread busy: between cells, a callback or task of an earlier one."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<cell "):
            return True
        frame = frame.f_back
    return False


def allow_interrupts():
    """Before each cell, since one before may have changed all this."""
    _signal.signal(_signal.SIGINT, on_sigint)
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, (_signal.SIGINT,))
    State.interruptible = True


# ---- cells -------------------------------------------------------------------------------------


class Outcome:
    """How a cell ended, as the texts of the messages that say so."""

    def __init__(self):
        self.status, self.exit_code, self.result, self.error = "ok", None, None, None


def run_cell(message):
    cell = message["id"]
    State.running, State.number = cell, message["number"]
    origin.set(cell)
    prepare()
    outcome = Outcome()
    send(f'{{"type":"started","id":{cell}}}')
    while True:  # an interrupt can come between any two steps, up to the one that forbids it
        try:
            try:
                allow_interrupts()
                if outcome.status == "ok":
                    perform(message["code"], f"<cell {State.number}>", outcome)
            finally:
                State.interruptible = False
            break
        except KeyboardInterrupt as interrupt:
            outcome.status = "interrupted"
            note_error(outcome, interrupt)
    conclude(cell, outcome)


def prepare():
    install_streams()
    reopen_closed()
    tag_pool_work()
    if State.loop is not None:
        current_loop()


def conclude(cell, outcome):
    if State.forked:
        leave_fork(outcome)
    flush()
    State.running = 0
    exit_code = "" if outcome.exit_code is None else f',"exit_code":{outcome.exit_code}'
    messages = [f'{{"type":"finished","id":{cell},"status":"{outcome.status}"{exit_code}}}']
    if outcome.error:
        name, text, traceback = (quote(shorten(part)) for part in outcome.error)
        messages.insert(
            0,
            f'{{"type":"error","id":{cell},"name":{name},"message":{text},"traceback":{traceback}}}',
        )
    elif outcome.result:
        data = ",".join(f"{quote(kind)}:{content}" for kind, content in outcome.result.items())
        messages.insert(0, f'{{"type":"result","id":{cell},"data":{{{data}}}}}')
    send(*messages)


def flush():
    """Whatever a cell has put in the place of the streams, as far as it lets itself be flushed."""
    for stream in (
        (sys.stdout, sys.stderr) if hasattr(sys, "stdout") and hasattr(sys, "stderr") else ()
    ):
        if stream is not stdout and stream is not stderr and stream is not None:
            try:
                stream.flush()
            except Exception:
                pass


def perform(code, name, outcome):
    """Runs the cell and says how it ended; only an interrupt goes through."""
    try:
        value = evaluate(code, name)
        if value is not None:
            builtins._ = value
            outcome.result = represent(value)
    except KeyboardInterrupt:
        raise
    except SystemExit as request:
        outcome.status, outcome.exit_code = "exited", exit_code(request)
    except BaseException as error:
        outcome.status = "error"
        note_error(outcome, error)


def exit_code(request):
    code = request.code
    if code is None or isinstance(code, int):
        return int(code or 0)
    sys.stderr.write(f"{code}\n")
    return 1


def evaluate(code, name):
    """Runs a cell like a file; the value of its last line where that is an expression."""
    list_source(name, code)
    tree = parse(code, name)
    last = split_last_expression(tree, code)
    flags = TOP_LEVEL_AWAIT | State.future_flags
    body = compile(tree, name, "exec", flags, True)
    State.future_flags |= body.co_flags & FUTURE_FLAGS
    if last is None:
        return execute(body)
    last = compile(last, name, "eval", flags | State.future_flags, True)
    return execute(body, last)


def parse(code, name):
    flags = AST_ONLY | TOP_LEVEL_AWAIT | State.future_flags
    try:
        return compile(code, name, "exec", flags, True)
    except SyntaxError:
        translated = translate_shell_lines(code)
        if translated == code:
            raise
        namespace[SHELL_NAME] = run_shell
        return compile(translated, name, "exec", flags, True)


def split_last_expression(tree, code):
    """Takes the last expression off the tree, unless a semicolon says that it is not to be shown."""
    if not tree.body or not isinstance(tree.body[-1], _ast.Expr):
        return None
    node = tree.body[-1]
    lines = code.splitlines()
    if node.end_lineno <= len(lines):
        rest = lines[node.end_lineno - 1].encode("utf-8", "replace")[node.end_col_offset :]
        if rest.lstrip().startswith(b";"):
            return None
    tree.body.pop()
    return _ast.Expression(node.value)


def execute(*parts):
    """Runs the parts of a cell; on the loop, all of them, where one awaits something."""
    if any(part.co_flags & IS_COROUTINE for part in parts):
        return run_on_loop(execute_awaiting(parts))
    for part in parts:
        value = eval(part, namespace)
    return value


async def execute_awaiting(parts):
    for part in parts:
        value = eval(part, namespace)
        if part.co_flags & IS_COROUTINE:
            value = await value
    return value


# ---- results -----------------------------------------------------------------------------------


def represent(value):
    """The value as a map of MIME types to JSON texts; text/plain first, further forms go here."""
    forms = {"text/plain": quote(shorten(repr(value)))}
    if is_plain(value, 0, [20_000]):
        text = to_json(value)
        if len(text) <= MAX_JSON:
            forms["application/json"] = text
    return forms


def is_plain(value, depth, budget):
    """Whether the value is made of nothing but what JSON can hold; subclasses are not."""
    kind = type(value)
    budget[0] -= 1
    if value is None or kind is bool:
        return True
    if kind is int:
        return -(1 << 53) <= value <= 1 << 53
    if kind is float:
        return value - value == 0  # neither infinite nor not a number
    if kind is str:
        return len(value) <= MAX_JSON and not any("\ud800" <= char <= "\udfff" for char in value)
    if depth > 60 or budget[0] < 0:
        return False
    if kind is list or kind is tuple:
        return all(is_plain(item, depth + 1, budget) for item in value)
    if kind is dict:
        return all(type(key) is str and is_plain(key, depth, budget) for key in value) and all(
            is_plain(item, depth + 1, budget) for item in value.values()
        )
    return False


def to_json(value):
    if isinstance(value, str):
        return quote(value)
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict):
        return "{" + ",".join(f"{quote(key)}:{to_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(to_json, value)) + "]"
    return repr(value)


# ---- errors ------------------------------------------------------------------------------------


def note_error(outcome, error):
    try:
        outcome.error = describe_error(error)
    except KeyboardInterrupt:
        outcome.status = "interrupted"
        outcome.error = (
            type(error).__name__,
            "",
            f"{type(error).__name__}: its text could not be had in time",
        )
    except BaseException:
        outcome.error = type(error).__name__, "", f"{type(error).__name__}: its text cannot be had"


def describe_error(error):
    traceback = lazily_import("traceback")
    remove_own_frames(error, set())
    restore_source_line(error)
    try:
        text = str(error)
    except Exception:
        text = ""
    lines = traceback.format_exception(type(error), error, error.__traceback__)
    return type(error).__name__, text, "".join(lines).rstrip("\n")


def remove_own_frames(error, seen):
    """Takes this file's entries out of the tracebacks of an error and of those behind it."""
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    entry = error.__traceback__
    while entry is not None and is_own(entry):
        entry = entry.tb_next
    error.__traceback__ = entry = first_cell_entry(entry) or entry
    while entry is not None:
        while entry.tb_next is not None and is_own(entry.tb_next):
            entry.tb_next = entry.tb_next.tb_next
        entry = entry.tb_next
    for behind in (error.__cause__, error.__context__, *getattr(error, "exceptions", ())):
        if isinstance(behind, BaseException):
            remove_own_frames(behind, seen)


def first_cell_entry(entry):
    """What comes before a cell's code is this file or the event loop."""
    while entry is not None and not entry.tb_frame.f_code.co_filename.startswith("<cell "):
        entry = entry.tb_next
    return entry


def is_own(entry):
    return entry.tb_frame.f_code.co_filename == FILE


def restore_source_line(error):
    """Shows the line as it was written: the compiler may have seen a translated one, or only a tree."""
    if isinstance(error, SyntaxError) and error.lineno and str(error.filename).startswith("<cell "):
        lines = linecache.getlines(error.filename)
        if (error.text is None or SHELL_NAME in error.text) and error.lineno <= len(lines):
            error.text = lines[error.lineno - 1]


def list_source(name, code):
    """Lets tracebacks, warnings and inspect find the cell's text."""
    lines = [line + "\n" for line in code.split("\n")]
    linecache.cache[name] = len(code), None, lines, name


def lazily_import(name):
    """Imports from the standard library, though a cell's directory may hold a file of that name."""
    if name not in sys.modules:
        saved = sys.path[:]
        sys.path[:] = [entry for entry in saved if entry not in ("", os.curdir)]
        try:
            __import__(name)
        finally:
            sys.path[:] = saved
    return sys.modules[name]


# ---- the event loop ----------------------------------------------------------------------------


def current_loop():
    """The one event loop of the context."""
    asyncio = lazily_import("asyncio")
    if State.loop is None or State.loop.is_closed():
        State.loop = asyncio.new_event_loop()
        State.loop.set_exception_handler(on_loop_error)
    asyncio.set_event_loop(State.loop)
    return State.loop


def on_loop_error(loop, context):
    """Reports a task that failed unobserved as output of the cell that started it."""
    task = context.get("task") or context.get("future")
    get_context = getattr(task, "get_context", None)
    if get_context is None:
        return loop.default_exception_handler(context)
    token = origin.set(get_context().get(origin, None))
    try:
        loop.default_exception_handler(context)
    finally:
        origin.reset(token)


def run_on_loop(coroutine):
    loop = current_loop()
    task = loop.create_task(coroutine)
    try:
        loop.run_until_complete(wait_for(task))
    except (KeyboardInterrupt, SystemExit) as error:
        if not task.done():
            error.__traceback__ = where_it_waits(task)
            cancel(loop, task)
            raise
        if task.cancelled() or not isinstance(task.exception(), SystemExit):
            raise
    if task.cancelled():
        raise sys.modules["asyncio"].CancelledError()
    error = task.exception()
    if error is not None:
        raise error
    return task.result()


async def wait_for(task):
    """Ends with the task, whatever its end: run_until_complete would add asyncio's frames to the traceback."""
    await sys.modules["asyncio"].wait([task])


def where_it_waits(task):
    """A traceback with the cell's own line: the real one would end in the loop's select."""
    traceback = None
    for frame in task.get_stack():
        while frame is not None and frame.f_code.co_filename == FILE:
            awaited = frame.f_locals.get("value")
            frame = getattr(awaited, "cr_frame", None)
        if frame is not None:
            traceback = type(sys.exc_info()[2])(traceback, frame, frame.f_lasti, frame.f_lineno)
    return traceback


def cancel(loop, task):
    """Lets the finally blocks of an interrupted cell run."""
    task.cancel()
    try:
        loop.run_until_complete(wait_for(task))
    finally:
        if task.done() and not task.cancelled():
            task.exception()  # else reported as never retrieved


def wait_on_loop():
    """Runs the tasks that cells have left behind until the agent sends something."""
    loop = current_loop()
    loop.add_reader(control, loop.stop)
    try:
        loop.run_forever()
    finally:
        if not loop.is_closed():
            loop.remove_reader(control)


# ---- shell lines -------------------------------------------------------------------------------


class ShellError(Exception):
    """A command of a shell line that ended with something else than 0."""

    __module__ = "builtins"  # shown without a module, like Python's own


def translate_shell_lines(code):
    """Puts calls in the place of shell lines; the number of lines stays the same."""
    import re

    shell = re.compile(r"(\s*)(?:!(?!=)\s*|%(?=(?:pip|npm)\b))(.*)", re.DOTALL)
    tool = re.compile(r"(\s*)((?:pip3?|python3? -m pip|npm|npx)\s+[A-Za-z-].*)", re.DOTALL)
    result, lines = [], iter(code.split("\n"))
    scanner = StatementStarts()
    for line in lines:
        found = None
        if scanner.at_start:
            found = shell.fullmatch(line) or tool.fullmatch(line)
            if found and found.re is tool and parses(line.strip()):
                found = None
        if found is None:
            scanner.take(line)
            result.append(line)
            continue
        command, breaks = found[2], 0
        while command.endswith("\\"):
            command = command[:-1] + next(lines, "")
            breaks += 1
        result.append(f"{found[1]}{SHELL_NAME}({command.strip()!r})" + "\n" * breaks)
    return "\n".join(result)


def parses(line):
    try:
        compile(line, "", "exec", AST_ONLY | TOP_LEVEL_AWAIT, True)
    except (SyntaxError, ValueError):
        return False
    return True


class StatementStarts:
    """Follows lines of code, as far as needed to know whether the next one begins a statement."""

    def __init__(self):
        self.depth, self.quote, self.continued = 0, None, False

    @property
    def at_start(self):
        return self.depth <= 0 and self.quote is None and not self.continued

    def take(self, line):
        self.continued = False
        at = 0
        while at < len(line):
            at = self._in_string(line, at) if self.quote else self._in_code(line, at)
        if self.quote and len(self.quote) == 1 and not line.endswith("\\"):
            self.quote = None  # an unterminated string ends with its line

    def _in_string(self, line, at):
        if line[at] == "\\":
            return at + 2
        if line.startswith(self.quote, at):
            at += len(self.quote)
            self.quote = None
            return at
        return at + 1

    def _in_code(self, line, at):
        char = line[at]
        if char == "#":
            return len(line)
        if char in "'\"":
            self.quote = char * 3 if line.startswith(char * 3, at) else char
            return at + len(self.quote)
        self.depth += (char in "([{") - (char in ")]}")
        self.continued = char == "\\" and at == len(line) - 1
        return at + 1


def run_shell(command):
    """Runs a command with the cell's own output; raises where it fails."""
    command = with_own_pip(with_variables(command))
    flush()
    try:
        status = spawn_and_wait(shell(), command)
    finally:
        if "importlib" in sys.modules:
            sys.modules["importlib"].invalidate_caches()
    code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    if code:
        raise ShellError(f"the command ended with {code}: {command}")


def system(command):
    """Execute the command in a subshell."""
    sys.audit("os.system", command)
    return spawn_and_wait("/bin/sh", os.fsdecode(command))


def spawn_and_wait(program, command):
    """Like C's system(), but an interrupt ends the wait as well: that one ignores it, and the cell would go on."""
    signals = (_signal.SIGINT, _signal.SIGPIPE, _signal.SIGXFSZ)
    pid = os.posix_spawn(
        program, [program, "-c", command], os.environ, setsigmask=(), setsigdef=signals
    )
    try:
        return os.waitpid(pid, 0)[1]
    except KeyboardInterrupt:
        try:
            end_child(pid)
        except ChildProcessError:
            pass  # the interrupt came between its end, which the wait had taken note of, and the wait's return
        raise


def end_child(pid):
    """The child was sent the interrupt as well; it has a moment to follow it."""
    import time

    for _ in range(20):
        if os.waitpid(pid, os.WNOHANG)[0]:
            return
        time.sleep(0.005)
    os.kill(pid, _signal.SIGKILL)
    os.waitpid(pid, 0)


def shell():
    preferred = os.environ.get("SHELL", "")
    known = preferred.startswith("/") and os.path.basename(preferred) in (
        "sh",
        "bash",
        "dash",
        "zsh",
        "ash",
        "ksh",
    )
    return preferred if known and os.access(preferred, os.X_OK) else "/bin/sh"


def with_own_pip(command):
    """pip is that of this interpreter, whatever the PATH has."""
    import re

    return re.sub(
        r"^(?:pip3?|python3? -m pip)(?=\s|$)", lambda _: f"{sys.executable} -m pip", command
    )


def with_variables(command):
    """As in IPython: {expression} and $name stand for values of Python, where they have one."""
    import re

    def replace(found):
        try:
            if found[2]:
                return str(namespace[found[2]])
            return str(eval(found[1], namespace))
        except Exception:
            return found[0]

    return re.sub(
        r"(?<![${])\{([A-Za-z_][\w.\[\]'\"]*)\}|(?<![$\\])\$([A-Za-z_]\w*)", replace, command
    )


# ---- forked children ---------------------------------------------------------------------------


def after_fork():
    """In a child: it runs on as a plain program, and has no part in the conversation with the agent."""
    State.forked = True
    close(control)
    for fd in BACKGROUND.values():
        close(fd)
    BACKGROUND.update({STDOUT: STDOUT, STDERR: STDERR})
    _signal.signal(_signal.SIGINT, _signal.default_int_handler)


def leave_fork(outcome):
    """Ends a child that has run to the end of its cell, as if that had been a file."""
    if outcome.error:
        write_all(STDERR, encode(outcome.error[2] + "\n"))
    flush()
    leave(outcome.exit_code if outcome.status == "exited" else outcome.status != "ok")


# ---- the conversation --------------------------------------------------------------------------


def handle(message):
    kind = message.get("type")
    if kind == "cell":
        run_cell(message)
    elif kind == "environment":
        set_environment(message["set"])
    elif kind == "exit":
        end()


def set_environment(variables):
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    if "TZ" in variables:
        __import__("time").tzset()


def end():
    try:
        __import__("atexit")._run_exitfuncs()
    finally:
        leave(0)


def converse():
    while True:
        try:
            if State.loop is not None:
                wait_on_loop()
            handle(receive())
        except KeyboardInterrupt:
            pass  # code of an earlier cell kept the loop busy and was interrupted
        except SystemExit:
            pass  # a task of an earlier cell: it is not its to end the context
        if State.forked:
            leave(0)


def set_up_main():
    """Makes `__main__` what a program's would be, less `__file__`."""
    for name in [name for name in namespace if not (name.startswith("__") and name.endswith("__"))]:
        del namespace[name]
    namespace.update(__name__="__main__", __builtins__=builtins)
    sys.argv[:] = [""]
    if not sys.path or sys.path[0] != "":
        sys.path.insert(0, "")
    if "PYTHONBREAKPOINT" not in os.environ:
        sys.breakpointhook = no_breakpoint


close(3)
control = move_high(CONTROL)
for fd in (STDOUT, STDERR):
    BACKGROUND[fd] = move_high(BACKGROUND[fd])
spares = [move_high(fd, copy=True) for fd in (0, STDOUT, STDERR)]
_signal.signal(_signal.SIGINT, on_sigint)
linecache = lazily_import("linecache")
set_up_main()
sys.stdout, sys.stderr, sys.stdin = stdout, stderr, stdin
sys.__stdout__, sys.__stderr__, sys.__stdin__ = stdout, stderr, stdin
tag_threads()
os.system = system
os.register_at_fork(after_in_child=after_fork)
version = ".".join(map(str, sys.version_info[:3]))
send(f'{{"type":"ready","protocol":1,"language":"python","version":"{version}","pid":{getpid()}}}')
converse()
