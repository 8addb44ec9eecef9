#!/bin/sh
# Runs gguf_files.py in a virtual environment of its own (made once, in the folder INTEROP_VENV or build/interop-venv).
# Where it cannot be made, because there is no network, that is said and nothing fails.
#
#   tests/interop/gguf.sh [--build build/dev] [--smollm FOLDER]
#
# FOLDER is what ../shared/models/smollm2.sh lays.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv=${INTEROP_VENV:-$here/../../build/interop-venv}
needed='import gguf, safetensors, sentencepiece, tokenizers, torch, transformers'
if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -c "$needed" 2>/dev/null; then
  if ! { python3 -m venv "$venv" && "$venv/bin/pip" install --quiet torch --index-url https://download.pytorch.org/whl/cpu &&
    "$venv/bin/pip" install --quiet 'transformers>=5,<6' safetensors gguf sentencepiece; }; then
    echo "skipped: gguf, torch and transformers could not be installed into $venv" >&2
    exit 0
  fi
fi
exec "$venv/bin/python" "$here/gguf_files.py" "$@"
