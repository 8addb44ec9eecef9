#!/usr/bin/env bash
# From a bare Debian 12 to a converted model, or to a tested build. See --help.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Everything that building, testing and running needs, named once.
# libopenblas0-openmp is named because without it libtorch falls back to a BLAS that is many times slower.
PACKAGES=(
  cmake ninja-build g++ pkg-config ccache mold
  libtorch-dev libopenblas0-openmp libgloo-dev
  libsentencepiece-dev libpcre2-dev libicu-dev libspdlog-dev libfmt-dev nlohmann-json3-dev libcli11-dev libxxhash-dev doctest-dev
  qt6-base-dev libqt6svg6 libqcustomplot-dev xvfb xauth fonts-dejavu-core
)

usage() {
  cat <<'HELP'
installer/bootstrap.sh COMMAND

  packages   install the Debian packages that building and running need
  demo       packages, release build, then the whole way on the demo model: convert, policy, eval and a
             generated text, dense and converted; opens the studio on the run where there is a display
  test       packages, development build, all tests

Every command may be repeated: what is done already is skipped. The demo's run is kept in build/release/demo-run.
HELP
}

say() { printf '\n== %s\n' "$*"; }

# fail SENTENCE [LINE...]: the lines stand alone, so that a command among them can be copied.
fail() {
  printf 'bootstrap.sh: %s\n' "$1" >&2
  (($# == 1)) || printf '%s\n' "${@:2}" >&2
  exit 1
}

missing_packages() {
  local package
  for package in "${PACKAGES[@]}"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || echo "$package"
  done
}

install_packages() {
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    fail "this is not Debian or a relative of it: there is no apt to install packages with." \
      "Install what these Debian packages hold, then build with 'cmake --preset release': ${PACKAGES[*]}"
  fi
  local missing
  mapfile -t missing < <(missing_packages)
  ((${#missing[@]})) || return 0
  if ((EUID != 0)); then
    fail "${#missing[@]} packages are missing and only root may install them. Run this, then the same command again:" \
      "sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}"
  fi
  say "Installing ${#missing[@]} packages"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -o DPkg::Lock::Timeout=300 -qq update
  apt-get -o DPkg::Lock::Timeout=300 -qq install -y --no-install-recommends "${missing[@]}" ||
    fail "apt could not install the packages (its message is above). Debian 12 has all of them."
}

# One compiler per processor, but no more than memory holds: a file that includes torch takes 1.5 GB.
jobs_that_fit() {
  local processors gigabytes
  processors=$(nproc)
  gigabytes=$(awk '/^MemAvailable/ {print int($2 / 1.5e6)}' /proc/meminfo)
  echo $((gigabytes < 1 ? 1 : gigabytes < processors ? gigabytes : processors))
}

# build PRESET [OPTION...]
build() {
  say "Building (preset $1)"
  mkdir -p build
  cmake --preset "$@" >build/configure.log 2>&1 || { cat build/configure.log >&2; fail "CMake refuses to configure."; }
  cmake --build --preset "$1" -j "$(jobs_that_fit)"
}

open_studio() {
  local bin=$1 run=$2
  if [[ -z ${DISPLAY:-}${WAYLAND_DISPLAY:-} ]]; then
    echo "There is no display. On a machine with one, this opens the run: $bin/ladimo-studio $run"
    return
  fi
  "$bin/ladimo-studio" "$run" >build/studio.log 2>&1 &
  local studio=$!
  sleep 2
  if kill -0 "$studio" 2>/dev/null; then
    disown "$studio"
    echo "LaDiMo Studio has opened the run. To open it again: $bin/ladimo-studio $run"
  else
    echo "LaDiMo Studio could not be opened on this display:"
    cat build/studio.log
  fi
}

demo() {
  local bin=build/release/bin run=build/release/demo-run prompt='Once upon a time'
  build release -DLADIMO_TESTS=OFF
  say "The model"
  "$bin/ladimo" inspect resources/demo
  say "Converting it with text that it generates, choosing a policy for 80 % of the parameters, measuring it"
  cmake --build --preset release --target demo-run
  say "The policy and its predicted numbers"
  "$bin/ladimo" show "$run"
  say "\"$prompt\", continued by the original model"
  "$bin/ladimo" generate "$run" --prompt "$prompt" --max-tokens 60 --dense-only
  say "The same, continued by the converted model"
  "$bin/ladimo" generate "$run" --prompt "$prompt" --max-tokens 60
  say "Finished: the run is in $run"
  open_studio "$bin" "$run"
}

# What is exported is loaded in transformers and llama.cpp, where a Python has them. tests/interop.sh gets them from PyPI.
load_elsewhere() {
  local python=${INTEROP_PYTHON:-python3}
  say "Loading exports in other programs"
  if [[ ! -d ../shared/models ]] || ! "$python" -c 'import torch, transformers, accelerate, safetensors' 2>/dev/null; then
    echo "Skipped: $python has no torch, transformers, accelerate and safetensors. tests/interop.sh installs them."
    return 0
  fi
  cmake --build --preset dev --target ladimo_logits ladimo_exported_logits >/dev/null
  INTEROP_PYTHON=$python INTEROP_LLAMA=no INTEROP_CASES="llama qwen3 granite" tests/interop.sh
}

run_tests() {
  build dev -DLADIMO_TESTS=ON
  load_elsewhere
  say "Testing"
  # Idle OpenMP threads that spin cost more than they bring when several tests share few processors.
  QT_QPA_PLATFORM=offscreen OMP_WAIT_POLICY=passive GOMP_SPINCOUNT=5000 ctest --preset dev -j "$(nproc)" --timeout 300
}

case ${1:-} in
  packages) install_packages; echo "All packages are installed." ;;
  demo) install_packages; demo ;;
  test) install_packages; run_tests ;;
  -h | --help) usage ;;
  *) usage >&2; exit 2 ;;
esac
