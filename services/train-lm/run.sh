#!/bin/sh
#SBATCH --job-name=train-lm
#SBATCH --time=01:00:00
#SBATCH --cpus-per-task=2
#SBATCH --mem=3G

# Learns from inputs/dataset; leaves the model in outputs/model and its measurements, one JSON
# object a line, in metrics.jsonl.
set -eu
exec "$USINE_BIN" lm train \
    --dataset inputs/dataset \
    --output outputs/model \
    --metrics metrics.jsonl \
    --size "$PARAM_SIZE" \
    --steps "$PARAM_STEPS" \
    --batch "$PARAM_BATCH" \
    --context "$PARAM_CONTEXT" \
    --seed "$PARAM_SEED"
