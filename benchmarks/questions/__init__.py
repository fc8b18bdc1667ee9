"""One question a file; see ../README.md."""
