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

# Run the workflow with further arguments, and print its progress.
workflow() {
    "$bin/python" -m snakemake --snakefile "$here/../Snakefile" --cores "$cores" "$@" >"$directory/workflow.log" 2>&1 &
    snakemake=$!
    trap 'kill -INT $snakemake 2>/dev/null' INT TERM
    shown=
    while kill -0 $snakemake 2>/dev/null; do
        sleep 1
        now=$(progress || true)
        [ "$now" = "$shown" ] || echo "  $now"
        shown=$now
    done
    wait $snakemake || {
        tail -n 40 "$directory/workflow.log" >&2
        exit 1
    }
}

echo "Running the workflow with the official defaults (log: $directory/workflow.log) ..."
workflow --until bad_pixel_mask --configfile "$directory/config.yaml"
for mask in "$directory"/results/*/test_bpm.fits; do
    official=$directory/official/$(basename "$(dirname "$mask")")
    mkdir -p "$official"
    cp "$mask" "$(dirname "$mask")"/{evidence.fits,summary.csv} "$official"
done

echo "Voting again with the preset flight ..."
workflow --configfile "$directory/config.yaml" --config preset=flight report=True
for mask in "$directory"/results/*/test_bpm.fits; do
    results=$(dirname "$mask")
    echo
    "$bin/python" "$here/score.py" --truth "$directory/truth.fits" --csv "$results/score" \
        --run official="$directory/official/$(basename "$results")" --run flight="$results"
    echo "Map, exposures, and why each pixel is flagged: $results/report.html"
done
