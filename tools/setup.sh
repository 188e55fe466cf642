#!/usr/bin/env bash
# Makes $VENV and installs sotto with everything it needs. Uses uv where it is on the PATH, else pip.
set -euo pipefail

version=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])') || {
    echo "setup: no '$PYTHON' here; install Python 3.11, 3.12 or 3.13, or name one: make PYTHON=/path/to/python" >&2
    exit 1
}
case "$version" in
    3.11 | 3.12 | 3.13) ;;
    *) echo "setup: Python $version is not supported; name one of 3.11-3.13: make PYTHON=/path/to/python" >&2; exit 1 ;;
esac
command -v c++ >/dev/null || { echo "setup: QuickFIX is compiled here and needs a C++ compiler (c++)" >&2; exit 1; }

began=$SECONDS
[ -x "$VENV/bin/python" ] || "$PYTHON" -m venv "$VENV"
echo "setup: installing into $VENV with Python $version; the first time QuickFIX is compiled, which takes about three minutes"
if command -v uv >/dev/null; then
    uv pip install --quiet --python "$VENV/bin/python" --constraints constraints.txt --editable '.[flows,serve,demo,dev]'
else
    "$VENV/bin/python" -m pip install --quiet --constraint constraints.txt --editable '.[flows,serve,demo,dev]'
fi
echo "setup: done in $((SECONDS - began)) s"
