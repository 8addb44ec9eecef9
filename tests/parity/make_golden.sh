#!/bin/sh
# Runs make_golden.py and make_choices.py in a virtual environment of its own (made once, in the folder PARITY_VENV or
# build/parity-venv). Torch comes from Debian (apt-get install python3-torch python3-venv): the wheels of PyPI
# bring gigabytes of CUDA libraries.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv=${PARITY_VENV:-$here/../../build/parity-venv}
if ! /usr/bin/python3 -c 'import torch, venv' 2>/dev/null; then
  echo "Needs torch for Python: apt-get install python3-torch python3-venv" >&2
  exit 2
fi
if [ ! -x "$venv/bin/pip" ]; then
  /usr/bin/python3 -m venv --system-site-packages "$venv"
  "$venv/bin/pip" install --quiet 'transformers==4.46.3' 'numpy<2' safetensors sentencepiece
fi
"$venv/bin/python" "$here/make_golden.py" "$@"
exec "$venv/bin/python" "$here/make_choices.py" "$@"
