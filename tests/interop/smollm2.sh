#!/bin/sh
# SmolLM2-135M beside transformers and llama.cpp: the nll of 16 windows of 1,024 tokens, and 64 greedy tokens from an
# F32 GGUF.
#   smollm2.sh [LADIMO]     LADIMO: the program (build/release/bin/ladimo)
# Needs python3 with venv and PyPI (3 GB for torch); says so and ends with 0 where they cannot be had.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
script=smollm2.sh
packages="torch transformers gguf safetensors xllamacpp"
. "$here/workplace.sh"
"$python" "$here/smollm2.py" "$program" "$work" "$here/../../../shared/text/wikitext2-valid.txt"
