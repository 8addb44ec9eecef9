# Sourced by scripts with `script` (its name), `here` (its folder) and `packages` (of PyPI) set, and the script's first
# argument as $1. Sets `program`, `work` (kept where INTEROP_WORK names it) and `python` (or what INTEROP_PYTHON names).
program=${1:-$here/../../build/release/bin/ladimo}
[ -x "$program" ] || { echo "$script: there is no $program; build it first, or name another." >&2; exit 2; }
work=${INTEROP_WORK:-$(mktemp -d)}
[ -n "${INTEROP_WORK:-}" ] || trap 'rm -rf "$work"' EXIT
mkdir -p "$work"
python=${INTEROP_PYTHON:-$work/venv/bin/python}
if [ -z "${INTEROP_PYTHON:-}" ] && [ ! -e "$work/venv/complete" ]; then
  # pip keeps what it compiled before, with whatever CMAKE_ARGS it had then.
  python3 -m venv "$work/venv" && "$work/venv/bin/pip" install --quiet ${CMAKE_ARGS:+--no-cache-dir} $packages && touch "$work/venv/complete" ||
    { echo "$script: skipped, PyPI cannot be reached."; exit 0; }
fi
sh "$here/../../../shared/models/smollm2.sh" "$work/smollm2"
