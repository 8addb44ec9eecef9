#!/usr/bin/env python3
"""Makes tests/data/parity/choices.json again: multiple choice computed by Hugging Face transformers with lm-eval's
rules (api/model.py `_encode_pair`, api/task.py `process_results`), one unpadded sequence at a time.

    tests/parity/make_golden.sh [--check]

The questions are tests/data/parity/choices.jsonl, the model is the demo model. `--check` compares with the stored
file instead of writing it.
"""

import argparse
import json
import pathlib
import sys

import sentencepiece
import torch
import transformers

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data" / "parity"
DEMO = ROOT / "resources" / "demo"


def encode_pair(pieces, context, continuation):
    """Cuts context and continuation as lm-eval does, with BOS in front (add_bos_token)."""
    if context == "":
        return [pieces.bos_id()], pieces.encode(continuation)
    spaces = len(context) - len(context.rstrip())
    if spaces > 0:
        continuation = context[-spaces:] + continuation
        context = context[:-spaces]
    whole = pieces.encode(context + continuation)
    cut = len(pieces.encode(context))
    return [pieces.bos_id()] + whole[:cut], whole[cut:]


def continuation_of(context, choice):
    """The choice after lm-eval's target_delimiter, a space, which is left out if a space is there already."""
    apart = context == "" or context != context.rstrip() or choice != choice.lstrip()
    return choice if apart else " " + choice


def log_probability(model, context, continuation):
    with torch.no_grad():
        logits = model(torch.tensor([context + continuation])).logits[0].float()
    log_p = torch.log_softmax(logits, dim=-1)[len(context) - 1 : -1]
    return log_p.gather(1, torch.tensor(continuation)[:, None]).sum().item()


def answers(questions, sums):
    plain = [max(range(len(s)), key=s.__getitem__) for s in sums]
    per_length = [[v / len(c) for v, c in zip(s, q["choices"])] for s, q in zip(sums, questions)]
    norm = [max(range(len(s)), key=s.__getitem__) for s in per_length]
    share = lambda chosen: sum(a == q["label"] for a, q in zip(chosen, questions)) / len(questions)
    return share(plain), share(norm)


def main():
    parser = argparse.ArgumentParser(description="Makes tests/data/parity/choices.json again.")
    parser.add_argument("--check", action="store_true", help="compare with the stored file, write nothing")
    check = parser.parse_args().check
    questions = [json.loads(line) for line in (DATA / "choices.jsonl").read_text().splitlines()]
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(DEMO / "tokenizer.model"))
    model = transformers.AutoModelForCausalLM.from_pretrained(
        DEMO, torch_dtype=torch.float32, attn_implementation="eager"
    )
    sums = [
        [
            log_probability(model, *encode_pair(pieces, q["context"], continuation_of(q["context"], choice)))
            for choice in q["choices"]
        ]
        for q in questions
    ]
    acc, acc_norm = answers(questions, sums)
    file = DATA / "choices.json"
    if check:
        stored = json.loads(file.read_text())["log_probabilities"]
        worst = max(abs(a - b) for s, t in zip(sums, stored) for a, b in zip(s, t))
        print(f"choices: largest difference {worst:.2e}")
        return 1 if worst > 1e-3 else 0
    file.write_text(
        json.dumps(
            {
                "computed_by": f"transformers {transformers.__version__}, torch {torch.__version__}, fp32 on the CPU",
                "command": "tests/parity/make_golden.sh",
                "log_probabilities": [[round(v, 5) for v in s] for s in sums],
                "acc": acc,
                "acc_norm": acc_norm,
            },
            indent=2,
        )
        + "\n"
    )
    print(f"choices: acc {acc:.3f}, acc_norm {acc_norm:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
