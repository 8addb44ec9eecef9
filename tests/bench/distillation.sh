#!/bin/sh
# The distillation of one layer beside the same step written plainly in PyTorch: SmolLM2-135M, 100,000 tokens of
# WikiText-2, the same experts, router, batches and epochs.
#   distillation.sh [LADIMO [THREADS [LAYER]]]     LADIMO: the program (build/release/bin/ladimo)
# INTEROP_WORK and INTEROP_PYTHON name a folder and an interpreter to use again. Needs PyPI otherwise; says so and ends
# with 0 where it cannot be had.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
script=distillation.sh
packages="torch transformers safetensors"
. "$here/../interop/workplace.sh"
"$python" "$here/distillation.py" "$program" "$work" "$here/../../../shared/text/wikitext2-valid.txt" "${2:-2}" "${3:-10}"
