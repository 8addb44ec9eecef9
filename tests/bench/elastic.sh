#!/usr/bin/env bash
# One conversion for the whole slider against conversions dedicated to one position each: KL on held-out text at shares
# of the FFNs' parameters. A dedicated conversion fits, distils and finishes for that one share (recipe:
# stage1.elastic false, one of stage1.levels).
#
#   tests/bench/elastic.sh LADIMO MODEL "TRAIN FILES" "DEV FILES" FOLDER [SHARES...]
#
# Prints a Markdown table. Runs stay in FOLDER; the same command continues there. LADIMO_CONVERT holds more options of
# convert (like "--seed 1").
set -euo pipefail
if (($# < 5)); then
  sed -n '2,10s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
ladimo=$1 model=$2 train=$3 dev=$4 folder=$5
shift 5
(($#)) || set -- 0.35 0.45 0.55 0.65 0.75 0.85 0.95

# number KEY INDENT FILE: prints a number from a JSON object that ladimo wrote; INDENT gives its depth.
number() { sed -n "s/^$2\"$1\": \([-0-9.e]*\),*\$/\1/p" "$3"; }

# convert RUN [OPTION...]: converts into RUN.
convert() {
  # shellcheck disable=SC2086
  "$ladimo" convert "$model" -o "$1" --text $train ${LADIMO_CONVERT:-} "${@:2}" >&2
}

# measure RUN SHARE: prints "ffn_activated kl" of the policy solved for that share.
measure() {
  local policy=$folder/policy-$(basename "$1")-$2.json result=$folder/eval-$(basename "$1")-$2.json
  "$ladimo" policy "$1" --grains experts --ffn-activated "$2" --output "$policy" >&2
  # shellcheck disable=SC2086
  "$ladimo" eval "$1" --policy "$policy" --text $dev --json >"$result"
  echo "$(number ffn_activated '  ' "$result") $(number kl '  ' "$result")"
}

# level SHARE: prints the routed activity at which a layer of the elastic run with a linear router and one bias uses that
# share.
level() {
  local plan=$folder/elastic/recipe.json config=$model/config.json
  LC_ALL=C awk -v share="$1" -v n="$(number experts '  ' "$plan")" -v s="$(number shared '  ' "$plan")" \
    -v d="$(sed -n 's/^ *"hidden_size": *\([0-9]*\),*$/\1/p' "$config")" \
    -v f="$(sed -n 's/^ *"intermediate_size": *\([0-9]*\),*$/\1/p' "$config")" 'BEGIN {
      m = int(f / n); always = (f - (n - s) * m) / f + ((n - s) * (d + 1) + d) / (3 * d * f)
      level = (share - always) / ((n - s) * m / f)
      printf "%.4f", (level < 0.01 ? 0.01 : (level > 0.99 ? 0.99 : level)) }'
}

mkdir -p "$folder"
convert "$folder/elastic"
echo "| FFN activated | elastic: got | KL | dedicated: got | KL | elastic / dedicated |"
echo "|---|---|---|---|---|---|"
for share in "$@"; do
  run=$folder/dedicated-$share
  convert "$run" --recipe "{\"stage1\": {\"elastic\": false, \"levels\": [$(level "$share")]}}"
  read -r elastic_got elastic_kl < <(measure "$folder/elastic" "$share")
  read -r own_got own_kl < <(measure "$run" "$share")
  LC_ALL=C awk -v t="$share" -v a="$elastic_got" -v b="$elastic_kl" -v c="$own_got" -v d="$own_kl" \
    'BEGIN { printf "| %s | %.3f | %.4g | %.3f | %.4g | %.2f |\n", t, a, b, c, d, b / d }'
done
