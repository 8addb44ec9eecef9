#!/bin/sh
# Builds the core and the command line, without Qt, with the libtorch 2.x of PyPI's torch, by the CMake package that the
# wheel brings, and runs the core's tests with it on the CPU.
#   libtorch2.sh [BUILD]     BUILD: the folder to build in (build/libtorch2)
# torch is that of the virtual environment INTEROP_VENV (build/interop-venv, made where it is missing; 5 GB, since PyPI
# has torch for Linux only with CUDA, though no GPU is needed). Says so and ends with 0 where torch cannot be had.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:-$root/build/libtorch2}
venv=${INTEROP_VENV:-$root/build/interop-venv}
if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -c 'import torch' 2>/dev/null; then
  if ! { python3 -m venv "$venv" && "$venv/bin/pip" install --quiet torch; }; then
    echo "libtorch2.sh: skipped, torch could not be installed into $venv" >&2
    exit 0
  fi
fi
package=$("$venv/bin/python" -c 'import torch; print(torch.utils.cmake_prefix_path)')
cd "$root"
cmake --preset dev -B "$build" -DLADIMO_GUI=OFF -DCMAKE_PREFIX_PATH="$package"
nice -n 10 cmake --build "$build" -j 2 --target ladimo ladimo_core_tests
echo "libtorch $("$venv/bin/python" -c 'import torch; print(torch.__version__)')"
OMP_WAIT_POLICY=passive ctest --test-dir "$build" -R '^core\.' --output-on-failure
