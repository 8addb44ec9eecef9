#!/usr/bin/env python3
"""Compares rendered conversations with those of transformers, byte for byte.

    chat_templates.py compare PROGRAM TEMPLATE...    (PROGRAM is ladimo_render_chat)
    chat_templates.py goldens FOLDER                 writes FOLDER/goldens.json for the templates in FOLDER
"""
import datetime
import json
import pathlib
import subprocess
import sys
import tempfile

from transformers.utils import chat_template_utils

TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}
CONVERSATIONS = pathlib.Path(__file__).parent.parent / "data" / "chat_templates" / "conversations.json"


class FixedDate(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2024, 7, 26)


chat_template_utils.datetime = FixedDate


def of_transformers(template, conversation):
    """The text, or None where transformers refuses the conversation."""
    messages = [{k: v for k, v in m.items() if v is not None} for m in conversation["messages"]]
    try:
        texts, _ = chat_template_utils.render_jinja_template(
            [messages], tools=conversation.get("tools"), chat_template=template, add_generation_prompt=False, **TOKENS)
        return texts[0]
    except Exception as failure:  # of Jinja, of Python, or raise_exception()
        print(f"    (transformers refuses: {failure})", file=sys.stderr)
        return None


def of_ladimo(program, template, conversations):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "tokenizer_config.json").write_text(json.dumps(TOKENS))
        (folder / "chat_template.jinja").write_text(template, newline="")
        (folder / "conversations.json").write_text(json.dumps(conversations))
        done = subprocess.run([program, folder, folder / "conversations.json"], capture_output=True, text=True)
        refusals = done.stderr.strip().splitlines()
        return (json.loads(done.stdout) if done.returncode == 0 else [None] * len(conversations)), refusals


def compare(program, files):
    conversations = json.loads(CONVERSATIONS.read_text())
    differences = rendered = refused = lenient = 0
    for file in files:
        template = pathlib.Path(file).read_text()
        expected = [of_transformers(template, c) for c in conversations]
        found, refusals = of_ladimo(program, template, conversations)
        wrong = [i for i, (a, b) in enumerate(zip(expected, found)) if a is not None and a != b]
        rendered += sum(text is not None for text in expected)
        refused += sum(a is None and b is None for a, b in zip(expected, found))
        lenient += sum(a is None and b is not None for a, b in zip(expected, found))
        differences += len(wrong)
        if wrong:
            print(f"{pathlib.Path(file).name}: {len(wrong)} of {len(found)} differ; {sorted(set(refusals))}")
        for i in wrong[:2]:
            print(f"  conversation {i}:\n    transformers: {expected[i]!r}\n    ladimo:       {found[i]!r}")
    print(f"{len(files)} templates: {rendered} texts, {differences} of them differ; "
          f"{refused} conversations that both refuse, {lenient} that transformers alone refuses")
    return 1 if differences else 0


def goldens(folder):
    conversations = json.loads(CONVERSATIONS.read_text())
    texts = {file.name: [of_transformers(file.read_text(), c) for c in conversations]
             for file in sorted(pathlib.Path(folder).glob("*.jinja"))}
    (pathlib.Path(folder) / "goldens.json").write_text(json.dumps(texts, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    if sys.argv[1] == "goldens":
        goldens(sys.argv[2])
    else:
        sys.exit(compare(sys.argv[2], sys.argv[3:]))
