#!/bin/sh
# Runs make.py of the given cases, or of all; then writes SHA256SUMS. PYTHON must have TensorFlow (README.md).
set -eu
cd "$(dirname "$0")"
export PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0
[ $# -gt 0 ] || set -- $(find . -name make.py | sed 's|^\./||; s|/make.py$||' | LC_ALL=C sort)
for case in "$@"; do
    echo "$case"
    "${PYTHON:-python}" "$case/make.py"
done
./sums.sh
