"""token_goldens.py OUT: small tokenizer.json files with texts, their ids and their decoded text, by Hugging Face tokenizers
0.23.3. They are the goldens of tests/core/base/json_tokenizer.cpp, which keeps them in tests/data/tokenizers."""
import json
import random
import sys

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

out = sys.argv[1]
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")
# Article 1 of the Universal Declaration of Human Rights.
TRAINING = ["All human beings are born free and equal in dignity and rights. They are endowed with reason and conscience.",
            "Alle Menschen sind frei und gleich an Würde und Rechten geboren.",
            "Tous les êtres humains naissent libres et égaux en dignité et en droits.",
            "Все люди рождаются свободными и равными в своем достоинстве и правах.",
            "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα.",
            "人人生而自由，在尊严和权利上一律平等。", "すべての人間は、生まれながらにして自由である。",
            "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.", "يولد جميع الناس أحرارا متساوين في الكرامة والحقوق",
            "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता", "כל בני האדם נולדו בני חורין ושווים בערכם",
            "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกัน", "for (int i = 0; i < n; ++i) { sum += a[i]; }"]
PIECES = [" ", "  ", "\t", "\n", "\n\n", "\r\n", "\u00a0", "\u3000", "\u200b", "\u180e", "\x85", "\u2028", "   \n  ", "<s>", "</s>",
          "<|end|>", " <|pad|>  ", "tool", "tools", "👩‍👩‍👧", "🇩🇪", "1️⃣", "1234567", "½²", "e\u0301", "é", "ﬁ", "ｆ", "it's I'LL ſ'ſ", "-" * 70, "a" * 70]


def texts(seed, count=120):
    dice = random.Random(seed)
    found = ["", " ", "a", *TRAINING, *PIECES]
    words = [word for line in TRAINING for word in line.split(" ")]
    while len(found) < count:
        found.append("".join(dice.choice(PIECES) if dice.random() < 0.4 else dice.choice([" ", ""]) + dice.choice(words)
                             for _ in range(dice.randint(1, 6))))
    return found


def save(name, tokenizer, seed):
    tokenizer.save(f"{out}/{name}.json", pretty=False)
    cases = []
    for text in texts(seed):
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        cases.append([text, ids, tokenizer.decode(ids, skip_special_tokens=True)])
    dice = random.Random(seed)
    for _ in range(20):  # ids that break characters
        ids = [dice.randrange(tokenizer.get_vocab_size()) for _ in range(6)]
        cases.append([None, ids, tokenizer.decode(ids, skip_special_tokens=True)])
    json.dump(cases, open(f"{out}/{name}.cases.json", "w"), ensure_ascii=True, separators=(",", ":"))


def byte_level(splits, size=500, **rules):
    tokenizer = Tokenizer(models.BPE(**rules))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*splits])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False,
                                  special_tokens=["<s>", "</s>"])
    tokenizer.train_from_iterator(TRAINING, trainer)
    tokenizer.add_special_tokens([AddedToken("<|end|>", special=True, normalized=False, rstrip=True),
                                  AddedToken("<|pad|>", special=True, normalized=False, lstrip=True, rstrip=True)])
    tokenizer.add_tokens([AddedToken("tool", single_word=True, normalized=True)])
    return tokenizer


gpt2 = byte_level([pre_tokenizers.Digits(True), pre_tokenizers.ByteLevel(False)])
save("gpt2", gpt2, 1)
llama3 = byte_level([pre_tokenizers.Split(Regex(LLAMA3), "isolated"), pre_tokenizers.ByteLevel(False, use_regex=False)])
llama3.normalizer = normalizers.NFC()
llama3.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), processors.TemplateProcessing(
    single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", 0)])])
save("llama3", llama3, 2)


def metaspace(**rules):
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", **rules))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("▁", "first", split=True)
    trainer = trainers.BpeTrainer(vocab_size=700, show_progress=False,
                                  special_tokens=["<unk>", "<s>", "</s>", *(f"<0x{b:02X}>" for b in range(256))])
    tokenizer.train_from_iterator(TRAINING[:6], trainer)
    state = json.loads(tokenizer.to_str())
    state["model"].update(rules)
    state["added_tokens"] = [token for token in state["added_tokens"] if not token["content"].startswith("<0x")]
    return state


fallback = [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0}]
state = metaspace(byte_fallback=True, fuse_unk=True)
state["pre_tokenizer"]["split"] = False
state["decoder"] = {"type": "Sequence", "decoders": fallback}
save("mistral", Tokenizer.from_str(json.dumps(state)), 3)
state["pre_tokenizer"] = None
state["normalizer"] = {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
                                                          {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}
for token in state["added_tokens"]:
    token["normalized"] = token["content"] == "</s>"
    token["special"] = token["content"] != "</s>"
save("llama2", Tokenizer.from_str(json.dumps(state)), 4)
state = metaspace(byte_fallback=False, fuse_unk=True)
state["pre_tokenizer"]["prepend_scheme"] = "always"
state["decoder"] = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
state["normalizer"] = {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Lowercase"},
                                                          {"type": "Strip", "strip_left": True, "strip_right": True}]}
save("unknown", Tokenizer.from_str(json.dumps(state)), 5)

unigram = Tokenizer(models.Unigram())
unigram.normalizer = normalizers.NFKC()
unigram.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.Metaspace("▁", "always")])
unigram.decoder = decoders.Metaspace("▁", "always")
unigram.train_from_iterator(TRAINING[:6], trainers.UnigramTrainer(vocab_size=300, unk_token="<unk>", special_tokens=["<unk>", "<s>"],
                                                                 show_progress=False))
save("unigram", unigram, 6)
