#!/usr/bin/env bash
# Simulate a detector, make its bad pixel mask, and score it: demo.sh BIN DIRECTORY SIZE SEED CORES
set -euo pipefail
bin=$1 directory=$2 size=$3 seed=$4 cores=$5
here=$(dirname "$0")
mkdir -p "$directory"

echo "Simulating darks, flats and their references in $directory/ ..."
"$bin/python" "$here/simulate.py" --out "$directory" --size "$size" --seed "$seed" >"$directory/simulate.log" 2>&1 || {
    cat "$directory/simulate.log" >&2
    exit 1
}

progress() { grep -o '[0-9]* of [0-9]* steps ([0-9]*%) done' "$directory/workflow.log" | tail -n 1; }
echo "Running the workflow (log: $directory/workflow.log) ..."
"$bin/snakemake" --cores "$cores" --configfile "$directory/config.yaml" >"$directory/workflow.log" 2>&1 &
snakemake=$!
trap 'kill -INT $snakemake 2>/dev/null' INT TERM
said=
while kill -0 $snakemake 2>/dev/null; do
    sleep 1
    now=$(progress || true)
    [ "$now" = "$said" ] || echo "  $now"
    said=$now
done
wait $snakemake || {
    tail -n 40 "$directory/workflow.log" >&2
    exit 1
}

for mask in "$directory"/results/*/test_bpm.fits; do
    results=$(dirname "$mask")
    echo
    "$bin/python" "$here/score.py" --truth "$directory/truth.fits" --evidence "$results/evidence.fits" \
        --mask "$mask" --csv "$results/score.csv"
done
