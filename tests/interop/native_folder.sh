#!/bin/sh
# Loads native model folders in transformers, by the Python files that `ladimo export` writes into them: in transformers
# 4.46 and in the newest 5. The logits are those of our program, under several policies, for a tiny model of every family
# and for SmolLM2 (135M).
#   native_folder.sh [LADIMO]     LADIMO: the program (build/release/bin/ladimo); ladimo_logits lies beside it
# Needs python3 with venv and PyPI (3 GB for torch); says so and ends with 0 where they cannot be had.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
script=native_folder.sh
packages="torch numpy accelerate safetensors transformers>=5,<6"
. "$here/workplace.sh"
helper=$(dirname "$program")/ladimo_logits
[ -x "$helper" ] || { echo "$script: there is no $helper; build the target ladimo_logits." >&2; exit 2; }
old=$work/transformers-4.46
if [ ! -e "$old/complete" ]; then
  "$python" -m pip install --quiet --target "$old" 'transformers==4.46.*' && touch "$old/complete" ||
    { echo "$script: skipped, PyPI cannot be reached."; exit 0; }
fi
export HF_HOME="$work/hf" HF_HUB_OFFLINE=1
"$python" "$here/native_folder.py" make "$program" "$helper" "$work/folders" "$work/smollm2/hf"
"$python" "$here/native_folder.py" check "$work/folders"
PYTHONPATH="$old" "$python" "$here/native_folder.py" check "$work/folders"
