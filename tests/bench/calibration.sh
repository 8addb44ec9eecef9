#!/bin/sh
# KL against the number of calibration tokens, and self-written text against real text, at one share of the FFNs'
# parameters. One conversion after the other; prints a table in Markdown.
#   tests/bench/calibration.sh LADIMO MODEL "TRAIN FILES" "DEV FILES" FOLDER [FFN_ACTIVATED] [TOKENS|self...]
# Runs stay in FOLDER; the same command continues there. LADIMO_CONVERT holds more options of convert (like "--seed 1").
set -eu
ladimo=$1 model=$2 train=$3 dev=$4 folder=$5
share=${6:-0.69}
if [ $# -gt 6 ]; then shift 6; else set -- 10000 30000 100000 300000 self; fi

# number KEY FILE: prints a number from the top level of a JSON object that ladimo wrote.
number() { sed -n "s/^  \"$1\": \([-0-9.e]*\),*\$/\1/p" "$2"; }

# row NAME TOKENS TEXT...: converts, chooses the policy, measures and prints a row of the table.
row() {
  name=$1 tokens=$2
  shift 2
  run=$folder/$name
  # shellcheck disable=SC2086
  "$ladimo" convert "$model" -o "$run" --text "$@" --tokens "$tokens" ${LADIMO_CONVERT:-} >&2
  "$ladimo" policy "$run" --grains experts --ffn-activated "$share" >&2
  # shellcheck disable=SC2086
  "$ladimo" eval "$run" --text $dev --json > "$folder/$name.json"
  printf '| %s | %s | %.3f | %.4f | %.2f -> %.2f |\n' "$name" "$tokens" \
    "$(number ffn_activated "$folder/$name.json")" "$(number kl "$folder/$name.json")" \
    "$(number dense_perplexity "$folder/$name.json")" "$(number perplexity "$folder/$name.json")"
}

mkdir -p "$folder"
echo "| calibration | tokens | FFN activated | KL | perplexity |"
echo "|---|---|---|---|---|"
for tokens in "$@"; do
  # shellcheck disable=SC2086
  case $tokens in
    self) row self-100000 100000 self ;;
    *) row "real-$tokens" "$tokens" $train ;;
  esac
done
