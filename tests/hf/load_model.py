"""Loads a model of a factory by its name there, and lets it write. Argument: `OWNER/NAME`."""

import sys

from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
model = AutoModelForCausalLM.from_pretrained(sys.argv[1])
asked = tokenizer("The factory", return_tensors="pt")
written = model.generate(**asked, max_new_tokens=4, do_sample=False)
assert written.shape[1] == asked["input_ids"].shape[1] + 4
print(model.config.architectures[0])
