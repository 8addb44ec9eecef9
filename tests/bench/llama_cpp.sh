#!/bin/sh
# Decoding and reading a prompt beside llama.cpp: the same weights, threads and numbers of tokens, five rounds in turn,
# one program at a time. The models are SmolLM2-135M in BF16, in F32 and in Q8_0
# (which ladimo holds as such), the demo, and stories260K.
#   llama_cpp.sh [LADIMO [THREADS]]     LADIMO: the program (build/release/bin/ladimo)
# llama.cpp is the one in the source of PyPI's llama-cpp-python, compiled for this machine; the first output says with
# which instruction sets. CMAKE_ARGS asks for another build, for example CMAKE_ARGS="-DGGML_NATIVE=OFF -DGGML_AVX2=ON".
# INTEROP_WORK names a folder that keeps it between runs, INTEROP_PYTHON an interpreter that has the packages already.
# Needs PyPI otherwise; says so and ends with 0 where it cannot be had.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
script=llama_cpp.sh
packages="torch gguf safetensors llama-cpp-python==0.3.36"
export CMAKE_ARGS="${CMAKE_ARGS:--DGGML_NATIVE=ON} -DLLAVA_BUILD=OFF"
. "$here/../interop/workplace.sh"
PYTHONPATH="$here/../interop" "$python" "$here/beside_llama_cpp.py" "$program" "$work" "${2:-2}"
