#!/bin/sh
# Runs gguf_export.py in a virtual environment of its own (made once, in the folder INTEROP_VENV or
# build/gguf-export-venv), with llama.cpp from the source of PyPI's llama-cpp-python, which takes minutes to compile.
# Where it cannot be made, because there is no network, that is said and nothing fails.
#
#   tests/interop/gguf_export.sh [--program build/dev/bin/ladimo_as_gguf] [--smollm FOLDER]
#
# The program is built by `cmake --build --preset dev --target ladimo_as_gguf`. FOLDER is what
# ../shared/models/smollm2.sh lays.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv=${INTEROP_VENV:-$here/../../build/gguf-export-venv}
needed='import gguf, llama_cpp, sentencepiece, tokenizers, torch, transformers'
if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -c "$needed" 2>/dev/null; then
  if ! { python3 -m venv "$venv" && "$venv/bin/pip" install --quiet torch 'transformers>=5,<6' gguf sentencepiece &&
    CMAKE_ARGS="${CMAKE_ARGS:--DGGML_NATIVE=OFF} -DLLAVA_BUILD=OFF" \
      "$venv/bin/pip" install --quiet llama-cpp-python==0.3.36; }; then
    echo "skipped: gguf, torch, transformers and llama-cpp-python could not be installed into $venv" >&2
    exit 0
  fi
fi
exec "$venv/bin/python" "$here/gguf_export.py" "$@"
