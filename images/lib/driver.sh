# The agent's Python driver, compiled by the Python of an image: compiling it took two fifths of an interpreter's start.

DRIVER=$RECIPES/../agent/repl/driver.py

# What the file has is in spec/driver.md, "Start": a zero byte, the source's length and the source, Python's mark of its own
# code, and the code.
COMPILE='
import sys, marshal, _frozen_importlib_external as loader
source = sys.stdin.buffer.read()
code = compile(source, "<microsandbox>", "exec", dont_inherit=True)
sys.stdout.buffer.write(b"\0" + len(source).to_bytes(4, "big") + source + loader.MAGIC_NUMBER + marshal.dumps(code))
'

# compile_driver FOLDER: beside the root filesystem, of which it is no part: it changes with the agent, the image does not.
compile_driver() {
  local tree=$WORK/driver-tree
  mkdir -p "$tree"
  mount -t erofs -o ro,loop,nodev "$1/rootfs.erofs" "$tree"
  chroot "$tree" /usr/bin/env -i /usr/bin/python3 -I -S -B -c "$COMPILE" <"$DRIVER" >"$1/.new.python-driver"
  umount "$tree"
  chmod 644 "$1/.new.python-driver"
  sync -d "$1/.new.python-driver"
  mv "$1/.new.python-driver" "$1/python-driver"
}

# has_driver FOLDER: whether it was compiled of the driver that there is now.
has_driver() {
  local size
  size=$(stat -c %s "$DRIVER")
  [ -f "$1/python-driver" ] && [ "$(od -An -tu4 --endian=big -j1 -N4 "$1/python-driver" | tr -d ' ')" = "$size" ] &&
    cmp -s --ignore-initial=5:0 --bytes="$size" "$1/python-driver" "$DRIVER"
}
