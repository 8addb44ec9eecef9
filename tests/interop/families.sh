#!/bin/sh
# Runs families.py in a virtual environment of its own (made once, in the folder INTEROP_VENV or build/interop-venv).
# Where it cannot be made, because there is no network, that is said and nothing fails.
#
#   tests/interop/families.sh [--build build/dev]   compares ladimo with Hugging Face transformers
#   tests/interop/families.sh --golden              makes tests/data/parity/families.json again
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv=${INTEROP_VENV:-$here/../../build/interop-venv}
if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -c 'import transformers, safetensors, torch' 2>/dev/null; then
  if ! { python3 -m venv "$venv" && "$venv/bin/pip" install --quiet torch 'transformers>=5,<5.40' safetensors numpy; }; then
    echo "skipped: torch and transformers could not be installed into $venv" >&2
    exit 0
  fi
fi
exec "$venv/bin/python" "$here/families.py" "$@"
