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
from ._async import BaseSandbox, Command, Creation, Files, Metrics, NodeSandbox, PythonSandbox
from ._errors import SandboxError
from ._events import Event
from ._results import CommandExecution, Execution, RunError
from ._wire import VERSION as __version__

__all__ = [
    "BaseSandbox",
    "Command",
    "CommandExecution",
    "Creation",
    "Event",
    "Execution",
    "Files",
    "Metrics",
    "NodeSandbox",
    "PythonSandbox",
    "RunError",
    "SandboxError",
    "__version__",
    "errors",
]
