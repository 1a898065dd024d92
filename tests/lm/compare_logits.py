"""Loads a model folder with Hugging Face transformers, unchanged, and prints what it makes of texts.

Usage: compare_logits.py FOLDER, with a JSON list of texts on standard input. For each text it prints a
line of JSON: the tokens, the text decoded from them, and the scores after each token.
"""

import json
import sys
import warnings

warnings.filterwarnings("ignore")

import torch  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402


def main() -> None:
    folder = sys.argv[1]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model, loading = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    for problem in ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs"):
        if loading[problem]:
            sys.exit(f"{problem}: {loading[problem]}")
    model.eval()
    for text in json.load(sys.stdin):
        tokens = tokenizer(text)["input_ids"]
        with torch.no_grad():
            scores = model(torch.tensor([tokens])).logits[0]
        print(json.dumps({
            "architecture": type(model).__name__,
            "parameters": model.num_parameters(),
            "end": tokenizer.eos_token_id,
            "tokens": tokens,
            "text": tokenizer.decode(tokens),
            "scores": scores.tolist(),
        }))


main()
