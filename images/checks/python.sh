# What microsandbox/python promises.

current_compiled() { # the standard library needs no compiling at start: nothing new appears when a module is imported
  inside root python3 -v -c 'import json, asyncio, email.message, pip' 2>&1 | grep -E '^# (wrote|could not create)|code object from .*\.py$' && return 1
  return 0
}

driver_is_compiled() { # of the agent's own text, by a Python that understands it
  RECIPES=$HERE source "$HERE/lib/driver.sh"
  has_driver "$FOLDER" && cp "$FOLDER/python-driver" "$ROOT/python-driver" && inside sandbox python3 -c '
import importlib.util, marshal
whole = open("/python-driver", "rb").read()
end = 5 + int.from_bytes(whole[1:5], "big")
assert whole[end : end + 4] == importlib.util.MAGIC_NUMBER
print(marshal.loads(whole[end + 4 :]).co_filename)'
}

pip_installs() {
  inside sandbox pip install -q -i "$1" six && inside sandbox python3 -c 'import six; print(six.__file__)' && inside sandbox python -m pip list
}

check "python3 is 3.13, of the user's own environment" prints '^3\.13 /home/sandbox/.venv$' \
  inside sandbox python3 -c 'import sys; print("%d.%d" % sys.version_info[:2], sys.prefix)'
check "python and pip come from it too" prints '^/home/sandbox/.venv/bin/python /home/sandbox/.venv/bin/pip$' inside sandbox sh -c 'echo $(command -v python) $(command -v pip)'
check "the environment is the user's to write" inside sandbox sh -c 'touch ~/.venv/lib/python3.13/site-packages/x ~/.venv/bin/x'
check "pip runs" prints '^pip 2' inside sandbox pip --version
check "a new environment can be made" inside sandbox python3 -m venv /tmp/other
check "nothing is compiled at a start" current_compiled
check "nor is the agent's driver" prints '^<microsandbox>$' driver_is_compiled
index=$(python3 -m pip config get global.index-url 2>/dev/null || true)
index=${PIP_INDEX_URL:-${index:-https://pypi.org/simple}}
if answers "${index%/}/six/"; then
  check "pip installs without root, and import finds it" prints '/home/sandbox/.venv/.*six' pip_installs "$index"
else
  left_out "pip install" "the package index does not answer"
fi
