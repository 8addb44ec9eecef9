#!/bin/sh
# Decoding and reading a prompt beside llama.cpp: the same weights (SmolLM2-135M in BF16), threads, prompt and length,
# five rounds in turn, one program at a time.
#   llama_cpp.sh [LADIMO [THREADS]]     LADIMO: the program (build/release/bin/ladimo)
# INTEROP_WORK and INTEROP_PYTHON name a folder and an interpreter to use again. Needs PyPI otherwise; says so and ends
# with 0 where it cannot be had.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
program=${1:-$here/../../build/release/bin/ladimo}
[ -x "$program" ] || { echo "llama_cpp.sh: there is no $program; build it first, or name another." >&2; exit 2; }
work=${INTEROP_WORK:-$(mktemp -d)}
[ -n "${INTEROP_WORK:-}" ] || trap 'rm -rf "$work"' EXIT
mkdir -p "$work"
python=${INTEROP_PYTHON:-$work/venv/bin/python}
if [ ! -x "$python" ]; then
  python3 -m venv "$work/venv" &&
    "$work/venv/bin/pip" install --quiet torch gguf xllamacpp ||
    { echo "llama_cpp.sh: skipped, PyPI cannot be reached."; exit 0; }
fi
[ -d "$work/smollm2" ] || sh "$here/../../../shared/models/smollm2.sh" "$work/smollm2"
PYTHONPATH="$here/../interop" exec "$python" "$here/llama_cpp.py" "$program" "$work/smollm2" "${2:-2}"
