"""The synchronous sandboxes. Generated from `_async`."""
