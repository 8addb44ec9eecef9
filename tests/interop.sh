#!/bin/sh
# Loads what `ladimo export` writes in other programs: native folders (by the Python code in them) and folders of MoE
# classes in transformers, GGUF files in llama.cpp. Logits, greedy tokens and perplexity are those of our program, for a
# tiny model of every family and for SmolLM2 (135M).
#   interop.sh [LADIMO]     LADIMO: the program (build/dev/bin/ladimo); ladimo_logits and ladimo_exported_logits lie
#                           beside it
# Needs python3 with venv and PyPI (3 GB for torch); says so and ends with 0 where they cannot be had. INTEROP_WORK names
# a folder that keeps the environment and the models, INTEROP_PYTHON an interpreter that has the packages already.
# INTEROP_CASES names some of the models: "llama qwen3 smollm2". llama.cpp is that of PyPI's llama-cpp-python, which takes
# minutes to compile; INTEROP_LLAMA=no leaves it out.
set -eu
here=$(cd "$(dirname "$0")/interop" && pwd)
script=interop.sh
packages="torch numpy accelerate safetensors transformers>=5,<6"
set -- "${1:-$here/../../build/dev/bin/ladimo}"
. "$here/workplace.sh"
bin=$(dirname "$program")
for helper in ladimo_logits ladimo_exported_logits; do
  [ -x "$bin/$helper" ] || { echo "$script: there is no $bin/$helper; build the target $helper." >&2; exit 2; }
done
if [ "${INTEROP_LLAMA:-yes}" != no ] && ! "$python" -c 'import llama_cpp' 2>/dev/null; then
  CMAKE_ARGS="${CMAKE_ARGS:--DGGML_NATIVE=OFF} -DLLAVA_BUILD=OFF" "$python" -m pip install --quiet llama-cpp-python==0.3.36 ||
    echo "$script: llama-cpp-python could not be compiled; GGUF files are written but not loaded."
fi
export HF_HOME="$work/hf" HF_HUB_OFFLINE=1
"$python" "$here/native_folder.py" make "$program" "$bin/ladimo_logits" "$work/folders" "$work/smollm2/hf"
"$python" "$here/native_folder.py" check "$work/folders"
"$python" "$here/moe_formats.py" "$program" "$bin/ladimo_exported_logits" "$work/folders"
