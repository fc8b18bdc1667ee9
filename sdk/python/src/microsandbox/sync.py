"""The synchronous twin, with the same names."""

from ._results import SyncCommandExecution as CommandExecution
from ._results import SyncExecution as Execution
from ._sync.command import Command
from ._sync.contexts import Context, Contexts
from ._sync.files import Files
from ._sync.metrics import Metrics
from ._sync.sandbox import BaseSandbox, NodeSandbox, PythonSandbox
from ._sync.server import Server

__all__ = [
    "BaseSandbox",
    "Command",
    "CommandExecution",
    "Context",
    "Contexts",
    "Execution",
    "Files",
    "Metrics",
    "NodeSandbox",
    "PythonSandbox",
    "Server",
]
