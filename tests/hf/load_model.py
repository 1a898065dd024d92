"""Loads a model of a factory by its name there, and asks it what comes next. Argument: `OWNER/NAME`."""

import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
model = AutoModelForCausalLM.from_pretrained(sys.argv[1])
asked = tokenizer("The factory", return_tensors="pt")["input_ids"]
with torch.no_grad():
    scores = model(asked).logits
assert scores.shape == (1, asked.shape[1], len(tokenizer)) and scores.isfinite().all(), scores
print(model.config.architectures[0])
