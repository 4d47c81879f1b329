#!/usr/bin/env bash
# Pin the requirements again: pin_requirements.sh BIN. The files contain no address of a package index.
set -euo pipefail
cd "$(dirname "$0")"
bin=$(cd .. && cd "$1" && pwd)
"$bin/python" -m pip install --quiet uv
options=(--quiet --python-version 3.11 --no-header --no-annotate --no-emit-index-url --no-emit-find-links)
"$bin/uv" pip compile "${options[@]}" --upgrade requirements.in --output-file requirements.txt
"$bin/uv" pip compile "${options[@]}" --constraint requirements.txt requirements-test.in --output-file requirements-test.txt
