#!/usr/bin/env bash
# Make a virtual environment with the pinned requirements in it: create_venv.sh DIRECTORY REQUIREMENTS [PYTHON]
# uv installs the same pins several times faster than pip; pip is used if uv cannot be installed. Both compile the
# packages to bytecode at once, because every job of the workflow imports them.
set -euo pipefail
venv=$1 requirements=$2 python=${3:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "jwst-badpix needs Python 3.11 or newer; '$python' is $("$python" --version 2>&1)." >&2
    echo "Give another Python: the third argument of this script, or for example make PYTHON=python3.12 demo" >&2
    exit 1
}
# A folder without pip is left by a Python without the module ensurepip (Debian: python3-venv), or was moved.
"$venv/bin/python" -m pip --version >/dev/null 2>&1 || "$python" -m venv "$venv"
if "$venv/bin/python" -m pip install --quiet uv 2>/dev/null &&
    VIRTUAL_ENV="$venv" "$venv/bin/uv" pip install --quiet --compile-bytecode --requirement "$requirements" 2>/dev/null; then
    :
else
    "$venv/bin/python" -m pip install --quiet --requirement "$requirements"
fi
