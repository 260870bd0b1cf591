#!/bin/sh
# Writes SHA256SUMS: every file of every case, paths relative to testdata/, sorted.
set -eu
cd "$(dirname "$0")"
find . -name __pycache__ -type d -prune -exec rm -rf {} +
find . -mindepth 2 -type f | sed 's|^\./||' | LC_ALL=C sort | tr '\n' '\0' | xargs -0 sha256sum > SHA256SUMS
