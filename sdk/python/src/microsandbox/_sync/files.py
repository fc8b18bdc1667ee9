"""Files of a sandbox. Generated from `_async`."""

from __future__ import annotations

from .. import _wire
from .session import Session


class Files:
    """Reads and writes whole files; what bounds their size is the sandbox's disk.

    Relative paths begin at the user's home; `user` is `sandbox` (the default) or `root`.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self, path: str, *, user: str | None = None) -> bytes:
        """Read a whole file."""
        content: bytes = self._session.call(_wire.read_file(self._session.target, path, user))
        return content

    def read_text(self, path: str, *, user: str | None = None) -> str:
        """Read a whole file as UTF-8."""
        return self.read(path, user=user).decode()

    def write(
        self,
        path: str,
        content: bytes | str,
        *,
        user: str | None = None,
        mode: int | None = None,
        make_directories: bool | None = None,
    ) -> None:
        """Write a whole file, in one step as far as others can see.

        `mode` is its permissions (0o644); missing folders are made unless `make_directories` is false.
        """
        data = content.encode() if isinstance(content, str) else content
        call = _wire.write_file(self._session.target, path, data, user, mode, make_directories)
        self._session.call(call)
