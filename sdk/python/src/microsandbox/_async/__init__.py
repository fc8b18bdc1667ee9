"""The asynchronous sandboxes; `_sync` is made of these files."""
