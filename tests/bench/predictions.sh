#!/usr/bin/env bash
# Predicted against measured KL and activated parameters at tradeoff 0.1, 0.2 ... 1.0, on the run's checking split,
# which no step of the conversion has seen.
#
#   tests/bench/predictions.sh LADIMO RUN
#
# LADIMO is the program. Prints a Markdown table.
set -euo pipefail
if [[ $# != 2 ]]; then
  sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
ladimo=$1 run=$2 folder=$(mktemp -d)
policy=$folder/policy.json
trap 'rm -r "$folder"' EXIT

# number JSON KEY: the first number of that key.
number() { grep -m1 "\"$2\":" <<<"$1" | grep -oE '[0-9][0-9.eE+-]*' | head -n 1; }

echo "| tradeoff | KL predicted | KL measured | predicted / measured | activated predicted | measured |"
echo "|---|---|---|---|---|---|"
for tradeoff in 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9 1.0; do
  solved=$("$ladimo" policy "$run" --tradeoff "$tradeoff" --output "$policy" --json)
  measured=$("$ladimo" eval "$run" --policy "$policy" --json)
  LC_ALL=C awk -v t="$tradeoff" -v p="$(number "$solved" kl)" -v m="$(number "$measured" kl)" \
    -v a="$(number "$solved" activated_fraction)" -v b="$(number "$measured" activated_fraction)" \
    'BEGIN { printf "| %s | %.5f | %.5f | %.3f | %.4f | %.4f |\n", t, p, m, p / m, a, b }'
done
