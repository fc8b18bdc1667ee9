"""microsandbox: run untrusted code in isolated sandboxes, on machines you own.

    import asyncio
    from microsandbox import PythonSandbox

    async def main():
        async with PythonSandbox.create(name="demo") as sb:
            execution = await sb.run("print('Hello from Python!')")
            print(await execution.output())

    asyncio.run(main())

The synchronous twin, with the same names, is `microsandbox.sync`.
"""

from . import errors
from ._async.command import Command
from ._async.contexts import Context, Contexts
from ._async.files import Files
from ._async.metrics import Metrics
from ._async.sandbox import BaseSandbox, Creation, NodeSandbox, PythonSandbox
from ._async.server import Server
from ._errors import SandboxError
from ._events import Event
from ._results import CommandExecution, Execution, RunError
from ._types import ImageInfo, LogEntry, MetricsData, SandboxInfo, ServerInfo
from ._wire import VERSION as __version__

__all__ = [
    "BaseSandbox",
    "Command",
    "CommandExecution",
    "Context",
    "Contexts",
    "Creation",
    "Event",
    "Execution",
    "Files",
    "ImageInfo",
    "LogEntry",
    "Metrics",
    "MetricsData",
    "NodeSandbox",
    "PythonSandbox",
    "RunError",
    "SandboxError",
    "SandboxInfo",
    "Server",
    "ServerInfo",
    "__version__",
    "errors",
]
