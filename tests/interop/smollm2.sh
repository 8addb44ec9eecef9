#!/bin/sh
# SmolLM2-135M beside transformers and llama.cpp: the nll of 16 windows of 1,024 tokens, and 64 greedy tokens from an
# F32 GGUF.
#   smollm2.sh [LADIMO]     LADIMO: the program (build/release/bin/ladimo)
# Needs python3 with venv and PyPI (3 GB for torch); says so and ends with 0 where they cannot be had.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
program=${1:-$here/../../build/release/bin/ladimo}
[ -x "$program" ] || { echo "smollm2.sh: there is no $program; build it first, or name another." >&2; exit 2; }
work=${INTEROP_WORK:-$(mktemp -d)}
[ -n "${INTEROP_WORK:-}" ] || trap 'rm -rf "$work"' EXIT
mkdir -p "$work"
python=${INTEROP_PYTHON:-$work/venv/bin/python}
if [ ! -x "$python" ]; then
  python3 -m venv "$work/venv" &&
    "$work/venv/bin/pip" install --quiet torch transformers gguf safetensors xllamacpp ||
    { echo "smollm2.sh: skipped, PyPI cannot be reached."; exit 0; }
fi
sh "$here/../../../shared/models/smollm2.sh" "$work/smollm2"
exec "$python" "$here/smollm2.py" "$program" "$work" "$here/../../../shared/text/wikitext2-valid.txt"
