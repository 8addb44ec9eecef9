#!/bin/sh
# Decoding and reading a prompt beside llama.cpp: the same weights (SmolLM2-135M in BF16, F32 and Q8_0), threads, prompt and length,
# five rounds in turn, one program at a time.
#   llama_cpp.sh [LADIMO [THREADS]]     LADIMO: the program (build/release/bin/ladimo)
# INTEROP_WORK and INTEROP_PYTHON name a folder and an interpreter to use again. Needs PyPI otherwise; says so and ends
# with 0 where it cannot be had.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
script=llama_cpp.sh
packages="torch gguf xllamacpp"
. "$here/../interop/workplace.sh"
PYTHONPATH="$here/../interop" "$python" "$here/llama_cpp.py" "$program" "$work/smollm2" "${2:-2}"
