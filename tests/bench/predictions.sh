#!/usr/bin/env bash
# Predicted against measured KL and activated parameters at trade-offs (0.1, 0.2 ... 1.0 unless named), on the run's
# checking split, which no step of the conversion has seen.
#
#   tests/bench/predictions.sh LADIMO RUN [TRADEOFFS...]
#
# LADIMO is the program. Prints a Markdown table. LADIMO_GRAINS restricts what may be left out (policy --grains).
set -euo pipefail
if (($# < 2)); then
  sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
ladimo=$1 run=$2 folder=$(mktemp -d)
policy=$folder/policy.json
shift 2
(($#)) || set -- 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9 1.0
trap 'rm -r "$folder"' EXIT

# number KEY INDENT JSON: prints a number from a JSON object that ladimo wrote; INDENT gives its depth.
number() { sed -n "s/^$2\"$1\": \([-0-9.e]*\),*\$/\1/p" <<<"$3"; }

echo "| tradeoff | KL predicted | KL measured | predicted / measured | activated predicted | measured | perplexity x |"
echo "|---|---|---|---|---|---|---|"
for tradeoff in "$@"; do
  solved=$("$ladimo" policy "$run" --grains "${LADIMO_GRAINS:-all}" --tradeoff "$tradeoff" --output "$policy" --json)
  measured=$("$ladimo" eval "$run" --policy "$policy" --json)
  LC_ALL=C awk -v t="$tradeoff" \
    -v p="$(number kl '    ' "$solved")" -v m="$(number kl '  ' "$measured")" \
    -v a="$(number activated_fraction '    ' "$solved")" -v b="$(number activated_fraction '  ' "$measured")" \
    -v c="$(number perplexity '  ' "$measured")" -v d="$(number dense_perplexity '  ' "$measured")" \
    'BEGIN { printf "| %s | %.5f | %.5f | %.3f | %.4f | %.4f | %.4f |\n", t, p, m, (m > 0 ? p / m : 1), a, b, c / d }'
done
