"""tokens.py LADIMO WORK TEXT [SPEED]: see tokens.sh, which lays WORK."""
import base64
import glob
import json
import os
import random
import subprocess
import sys
import time

import sentencepiece
import tiktoken
import tokenizers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

program, work, texts = sys.argv[1:4]
wheels = f"{work}/wheels"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
DEEPSEEK = [r"[\r\n]", r"\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅ]+",
            r"\s?[!-/:-~！-／：-～‘-‟　-。]+", r"\s+$", r"[一-龥ࠀ-一가-퟿]+"]


# --- a text of many scripts -------------------------------------------------------------------------------
def translated_lines():
    """Lines of Django's translations, about eighty languages."""
    lines = []
    for file in sorted(glob.glob(f"{wheels}/django/conf/locale/*/LC_MESSAGES/django.po")):
        found = [line[8:-2] for line in open(file, encoding="utf-8") if line.startswith('msgstr "') and len(line) > 12]
        lines += found[:150]
    return lines


RANGES = [(0x20, 0x7E), (0xA0, 0x24F), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x52F), (0x530, 0x58F), (0x590, 0x5FF),
          (0x600, 0x6FF), (0x900, 0x97F), (0xB80, 0xBFF), (0xE00, 0xE7F), (0x10A0, 0x10FF), (0x1100, 0x11FF),
          (0x1200, 0x137F), (0x1E00, 0x1FFF), (0x2000, 0x206F), (0x20A0, 0x2BFF), (0x3000, 0x30FF), (0x4E00, 0x9FFF),
          (0xAC00, 0xD7A3), (0xFB00, 0xFDFF), (0xFF00, 0xFFEF), (0x10300, 0x1034F), (0x1D400, 0x1D7FF),
          (0x1F300, 0x1FAFF)]
SPACES = [" ", "  ", "   ", "\t", "\t\t", "\n", "\n\n", "\r\n", "\u00a0", "\u2003", "\u3000", "\u200b", "\u180e", "\x0b",
          "\x0c", "\x85", "\u2028", "\ufeff", " \n ", "        "]
EMOJI = ["👩‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽", "🇩🇪", "❤️", "1️⃣", "🎉🎉", "☕️"]
CODE = ["for (int i = 0; i < n; ++i) {\n\tsum += a[i];\n}", "def f(x):\n    return x**2 + 1e-5\n", "SELECT * FROM t WHERE a='b';",
        "https://example.org/a?b=c&d=%20", "\\frac{\\partial L}{\\partial w_{ij}}", "it's we'll I'M they'RE ſ'ſ", "x'S y'LL",
        "12345678901234567890 3.14159 ½ ² ٣٤٥ Ⅷ", "e\u0301 \u00e9 \ufb01 ｆｕｌｌ ﷺ", "<b>bold</b>", "a" * 300, " " * 200, "-" * 120]
SPECIAL = ["<|endoftext|>", "<|im_start|>user\n", "<|im_end|>", "<|begin_of_text|>", "<|eot_id|>", "<s>", "</s>", "[INST] ",
           "<unk>", " <s> ", "<|im_end|", "<0x0A>"]


def random_line(dice):
    parts = []
    for _ in range(dice.randint(1, 8)):
        kind = dice.random()
        if kind < 0.5:
            first, last = dice.choice(RANGES)
            parts.append("".join(chr(dice.randint(first, last)) for _ in range(dice.randint(1, 8))))
        else:
            parts.append(dice.choice(SPACES if kind < 0.7 else EMOJI if kind < 0.8 else CODE if kind < 0.9 else SPECIAL))
    return "".join(parts).encode("utf-8", "ignore").decode("utf-8")


def all_lines(count=20000):
    dice = random.Random(17)
    lines = translated_lines()
    english = open(f"{texts}/books-train.txt", encoding="utf-8").read().split("\n")
    lines += [line for line in english if line][:3000] + CODE + EMOJI + SPACES + SPECIAL
    while len(lines) < count:
        lines.append(random_line(dice))
    return lines


# --- the tokenizers -----------------------------------------------------------------------------------------
def alphabet():
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table, extra = {b: chr(b) for b in printable}, 0
    for b in range(256):
        if b not in table:
            table[b], extra = chr(256 + extra), extra + 1
    return table


def from_ranks(ranks, splits, specials, ignore_merges, digits=False):
    table = alphabet()
    spell = lambda token: "".join(table[b] for b in token)
    merges = []
    for token, rank in ranks.items():
        pairs = [(token[:i], token[i:]) for i in range(1, len(token)) if token[:i] in ranks and token[i:] in ranks]
        merges += [(spell(a), spell(b)) for a, b in sorted(pairs, key=lambda p: (ranks[p[0]], ranks[p[1]]))]
    # The dict is in the order of ranks, so the merges are too.
    vocab = {spell(token): rank for token, rank in ranks.items()}
    tokenizer = Tokenizer(models.BPE(vocab, merges, fuse_unk=False, ignore_merges=ignore_merges))
    steps = [pre_tokenizers.Split(tokenizers.Regex(split), "isolated") for split in splits]
    if digits:
        steps.append(pre_tokenizers.Digits(individual_digits=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*steps, pre_tokenizers.ByteLevel(False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(specials)
    return tokenizer


def tiktoken_ranks(file):
    pairs = (line.split() for line in open(file, "rb") if line.strip())
    return dict(sorted(((base64.b64decode(token), int(rank)) for token, rank in pairs), key=lambda p: p[1]))


def tekken(file):
    data = json.load(open(file))
    size = data["config"]["default_vocab_size"] - data["config"]["default_num_special_tokens"]
    ranks = {base64.b64decode(token["token_bytes"]): token["rank"] for token in data["vocab"][:size]}
    return ranks, data["config"]["pattern"]


def from_sentencepiece(file, metaspace):
    model = sentencepiece.SentencePieceProcessor(model_file=file)
    pieces = [model.id_to_piece(i) for i in range(model.get_piece_size())]
    ids = {piece: i for i, piece in enumerate(pieces)}
    merges = [(model.get_score(i), ids[p[:j]], ids[p[j:]], p[:j], p[j:]) for i, p in enumerate(pieces)
              for j in range(1, len(p)) if p[:j] in ids and p[j:] in ids]
    merges.sort(key=lambda m: (-m[0], m[1], m[2]))
    tokenizer = Tokenizer(models.BPE(ids, [m[3:] for m in merges], unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    if metaspace:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("▁", "first", split=False)
        tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
                                               decoders.Strip(" ", 1, 0)])
    else:
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
                                               decoders.Strip(" ", 1, 0)])
    tokenizer.add_special_tokens([tokenizers.AddedToken(t, special=True, normalized=False) for t in ("<unk>", "<s>", "</s>")])
    return tokenizer, model


def unigram(lines):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("▁", "always")
    tokenizer.decoder = decoders.Metaspace("▁", "always")
    trainer = trainers.UnigramTrainer(vocab_size=20000, unk_token="<unk>", special_tokens=["<unk>", "<s>"], show_progress=False)
    tokenizer.train_from_iterator(lines, trainer)
    return tokenizer


def all_tokenizers(lines):
    data = f"{wheels}/mistral_common/data"
    llama3 = [f"<|{name}|>" for name in ("begin_of_text", "end_of_text", "eot_id", "start_header_id", "end_header_id")]
    qwen = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    ranks3 = tiktoken_ranks(f"{wheels}/llama_models/llama3/tokenizer.model")
    ranksq = tiktoken_ranks(f"{wheels}/dashscope/resources/qwen.tiktoken")
    rankst, pattern = tekken(f"{data}/tekken_240911.json")
    second = lambda ranks, split: tiktoken.Encoding("", pat_str=split, mergeable_ranks=ranks, special_tokens={})
    yield "SmolLM2", Tokenizer.from_file(f"{work}/smollm2/hf/tokenizer.json"), None
    yield "Llama-3", from_ranks(ranks3, [LLAMA3], llama3, True), second(ranks3, LLAMA3).encode_ordinary
    qwen2 = from_ranks(ranksq, [QWEN2], qwen, False)
    qwen2.normalizer = normalizers.NFC()
    import unicodedata
    encode = second(ranksq, QWEN2).encode_ordinary
    yield "Qwen2", qwen2, lambda text: encode(unicodedata.normalize("NFC", text))
    yield "Tekken", from_ranks(rankst, [pattern], [], True), second(rankst, pattern).encode_ordinary
    yield "DeepSeek pre-tokenisers", from_ranks(ranks3, DEEPSEEK, llama3, False, digits=True), None
    for name, file in (("Mistral v1", "tokenizer.model.v1"), ("Mistral v3", "mistral_instruct_tokenizer_240323.model.v3")):
        tokenizer, model = from_sentencepiece(f"{data}/{file}", metaspace=True)
        yield name, tokenizer, None
    tokenizer, model = from_sentencepiece(f"{data}/tokenizer.model.v1", metaspace=False)
    yield "json-only Llama-2", tokenizer, model.encode
    yield "Unigram", unigram(lines), None


# --- the comparison -----------------------------------------------------------------------------------------
def ours(folder, files):
    done = subprocess.run([program, "tokenize", folder, "--json", "--text", *files], capture_output=True)
    if done.returncode != 0:
        sys.exit(done.stderr.decode())
    return json.loads(done.stdout)["ids"]


def first_difference(folder, files, expected):
    for file, ids in zip(files, expected):
        found = ours(folder, [file])
        if found != ids:
            return f"{file}: {open(file, newline='').read()!r}\n  theirs {ids}\n  ours   {found}"


def compare(name, tokenizer, other, lines, files):
    folder = f"{work}/{name.replace(' ', '_')}"
    os.makedirs(folder, exist_ok=True)
    tokenizer.save(f"{folder}/tokenizer.json")
    expected = [tokenizer.encode(line, add_special_tokens=False).ids for line in lines]
    flat = [i for ids in expected for i in ids]
    good = ours(folder, files) == flat
    whole = f"{work}/whole.txt"
    text = "\n".join(lines)
    open(whole, "w", newline="").write(text)
    whole_good = ours(folder, [whole]) == tokenizer.encode(text, add_special_tokens=False).ids
    print(f"{name}: {len(lines)} lines, {len(flat)} tokens: {'equal' if good else 'DIFFERENT'}; "
          f"as one text: {'equal' if whole_good else 'DIFFERENT'}", flush=True)
    if not good:
        print(first_difference(folder, files, expected))
    if other is not None:
        plain = [(line, ids) for line, ids in zip(lines, expected) if not any(s.strip() in line for s in SPECIAL)]
        differ = [(line, ids, other(line)) for line, ids in plain if other(line) != ids]
        print(f"  second opinion on {len(plain)} lines without special tokens: {len(differ)} differ", flush=True)
        if differ:
            print("  for example", differ[0])
    return good and whole_good


def time_it(name, tokenizer):
    text = open(f"{texts}/books-train.txt", encoding="utf-8").read()
    folder = f"{work}/{name.replace(' ', '_')}"
    big, small = f"{work}/big.txt", f"{work}/small.txt"
    rounds = 16_000_000 // len(text) + 1
    open(big, "w").write(text * rounds)
    open(small, "w").write(text[:1000])
    times = {}
    for label, file in (("small", small), ("big", big)) * 3:
        begin = time.time()
        subprocess.run([program, "tokenize", folder, "--text", file], stdout=subprocess.DEVNULL, check=True)
        times[label] = min(times.get(label, 1e9), time.time() - begin)
    size = os.path.getsize(big) / 1e6
    begin = time.time()
    for _ in range(rounds):  # as a whole text, several times, so that its cache is warm as ours
        tokenizer.encode(text, add_special_tokens=False)
    theirs = time.time() - begin
    print(f"{name}: {size / (times['big'] - times['small']):.1f} MB/s with the printing of ids, "
          f"Hugging Face {size / theirs:.1f} MB/s; loading {times['small']:.2f} s", flush=True)


lines = all_lines()
os.makedirs(f"{work}/lines", exist_ok=True)
files = [f"{work}/lines/{i}" for i in range(len(lines))]
for file, line in zip(files, lines):
    open(file, "w", newline="").write(line)
good = True
for name, tokenizer, other in all_tokenizers(lines):
    good = compare(name, tokenizer, other, lines, files) and good
    if len(sys.argv) > 4:
        time_it(name, tokenizer)
sys.exit(0 if good else 1)
