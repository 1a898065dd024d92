#!/bin/sh
#SBATCH --job-name=train-lm
#SBATCH --time=01:00:00
#SBATCH --cpus-per-task=2
#SBATCH --mem=3G

# Learns from inputs/dataset; leaves the model in outputs/model and its measurements, one JSON
# object a line, in metrics.jsonl.
set -eu
set -- --preset "$PARAM_SIZE" --steps "$PARAM_STEPS" --seed "$PARAM_SEED"
# Zero stands for what suits the preset.
if [ "$PARAM_SECONDS" -gt 0 ]; then set -- "$@" --seconds "$PARAM_SECONDS"; fi
if [ "$PARAM_BATCH" -gt 0 ]; then set -- "$@" --batch "$PARAM_BATCH"; fi
if [ "$PARAM_CONTEXT" -gt 0 ]; then set -- "$@" --context "$PARAM_CONTEXT"; fi
exec "$USINE_BIN" lm train --corpus inputs/dataset --out outputs/model --metrics metrics.jsonl "$@"
