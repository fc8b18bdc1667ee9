"""All errors by name: `from microsandbox.errors import NameTakenError`."""

from ._errors import *  # noqa: F403
from ._errors import SandboxError

__all__ = ["SandboxError", *sorted(kind.__name__ for kind in SandboxError.__subclasses__())]  # pyright: ignore
