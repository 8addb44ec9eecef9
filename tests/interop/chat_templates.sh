#!/bin/sh
# Compares our rendering of chat templates with that of transformers, byte for byte: of the templates of the
# tests, and of some ninety of public models, which come with two packages of PyPI (trl and llama-cpp-python,
# whose source holds llama.cpp). With `goldens` it makes the goldens of the tests again.
#   chat_templates.sh PROGRAM | goldens          (PROGRAM is ladimo_render_chat)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
own=$here/../data/chat_templates
venv=${INTEROP_VENV:-$here/../../build/interop-venv}
packages=$venv/chat-templates
if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -c 'import transformers, jinja2' 2>/dev/null; then
  python3 -m venv "$venv"
  if ! "$venv/bin/pip" install --quiet 'transformers==5.24.0' 'jinja2==3.1.6'; then
    echo "Skipped: transformers cannot be installed; this needs a network." >&2
    exit 0
  fi
fi
if [ "${1:-}" = goldens ]; then
  exec "$venv/bin/python" "$here/chat_templates.py" goldens "$own"
fi
program=${1:?"usage: chat_templates.sh PROGRAM | goldens"}
if [ ! -d "$packages" ]; then
  mkdir -p "$packages.part"
  if "$venv/bin/pip" download --quiet --no-deps -d "$packages.part" 'trl==1.16.0' &&
     "$venv/bin/pip" download --quiet --no-deps --no-binary :all: -d "$packages.part" 'llama-cpp-python==0.3.16'; then
    (cd "$packages.part" &&
     "$venv/bin/python" -m zipfile -e trl-*.whl trl &&
     tar xzf llama_cpp_python-*.tar.gz --wildcards '*/models/templates/*.jinja')
    mv "$packages.part" "$packages"
  else
    echo "Only the templates of the tests: the packages with those of public models cannot be fetched." >&2
  fi
fi
"$venv/bin/python" "$here/chat_templates.py" compare "$program" "$own"/*.jinja
[ ! -d "$packages" ] || find "$packages" -name '*.jinja' -exec "$venv/bin/python" "$here/chat_templates.py" compare "$program" {} +
