#!/bin/sh
#SBATCH --job-name=generate-text
#SBATCH --time=00:10:00
#SBATCH --cpus-per-task=1
#SBATCH --mem=2G

# Prints what the model in inputs/model makes of the prompt.
set -eu
whole=$((PARAM_TEMPERATURE / 100)) hundredths=$((PARAM_TEMPERATURE % 100))
exec "$USINE_BIN" lm generate \
    --model inputs/model \
    --prompt "$PARAM_PROMPT" \
    --tokens "$PARAM_TOKENS" \
    --temperature "$((PARAM_TEMPERATURE / 100)).$(printf %02d $((PARAM_TEMPERATURE % 100)))" \
    --seed "$PARAM_SEED"
