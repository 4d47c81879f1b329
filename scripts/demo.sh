#!/usr/bin/env bash
# Simulate a detector, make its masks, and score them: demo.sh BIN DIRECTORY SIZE SEED CORES [COMMAND]
# The last lines name the command for exposures of one's own, as snakemake or, with COMMAND, as that command.
set -euo pipefail
bin=$1 directory=$2 size=$3 seed=$4 cores=$5 command=${6:-}
here=$(dirname "$0")
mkdir -p "$directory"

echo "Simulating darks, flats and their references in $directory/ ..."
"$bin/python" "$here/simulate.py" --out "$directory" --size "$size" --seed "$seed" >"$directory/simulate.log" 2>&1 || {
    cat "$directory/simulate.log" >&2
    exit 1
}

progress() { grep -o '[0-9]* of [0-9]* steps ([0-9]*%) done' "$directory/workflow.log" | tail -n 1; }
show_progress() {
    now=$(progress || true)
    [ "$now" = "$shown" ] || echo "  $now"
    shown=$now
}

# Run the workflow with further arguments, and print its progress.
workflow() {
    "$bin/python" -m snakemake --snakefile "$here/../Snakefile" --cores "$cores" "$@" >"$directory/workflow.log" 2>&1 &
    snakemake=$!
    trap 'kill -INT $snakemake 2>/dev/null' INT TERM
    shown=
    while kill -0 $snakemake 2>/dev/null; do
        sleep 1
        show_progress
    done
    wait $snakemake || {
        tail -n 40 "$directory/workflow.log" >&2
        exit 1
    }
    show_progress
}

echo "Running the workflow with the official defaults (log: $directory/workflow.log) ..."
# The masks alone; the second run makes all other files. The names of raw files end with the detector.
detectors=$(find "$directory/darks" -name '*_uncal.fits' | sed 's/.*_\([^_]*\)_uncal.fits/\1/' |
    tr '[:lower:]' '[:upper:]' | sort -u)
masks=()
for detector in $detectors; do masks+=("$directory/results/$detector/test_bpm.fits"); done
workflow --configfile "$directory/config.yaml" -- "${masks[@]}"
for mask in "$directory"/results/*/test_bpm.fits; do
    official=$directory/official/$(basename "$(dirname "$mask")")
    mkdir -p "$official"
    cp "$mask" "$(dirname "$mask")"/{evidence.fits,summary.csv} "$official"
done

echo "Voting again with the preset flight ..."
workflow --configfile "$directory/config.yaml" --config preset=flight report=True
for mask in "$directory"/results/*/test_bpm.fits; do
    results=$(dirname "$mask")
    official=$directory/official/$(basename "$results")
    echo
    "$bin/python" "$here/score.py" --truth "$directory/truth.fits" --csv "$results/score" --overview \
        --run official="$official" --run flight="$results"
    echo
    echo "mask of the official algorithm:  $official/$(basename "$mask")"
    echo "mask of the preset flight:       $mask"
    echo "report, to open in a browser:    $results/report.html"
    echo "completeness and purity by type: $results/score/score.txt"
done
example=config/example.yaml
[ "$here" = scripts ] || example=$(cd "$here/.." && pwd)/$example
echo
echo "Masks from your own exposures: copy the example, and enter your folders, name, description and date."
echo "  cp $example my_config.yaml"
echo "Then, in this directory:"
echo "  CRDS_PATH=\$HOME/crds_cache CRDS_SERVER_URL=https://jwst-crds.stsci.edu \\"
if [ -n "$command" ]; then
    echo "      $command run my_config.yaml --cores $cores"
else
    echo "      $bin/snakemake --cores $cores --configfile my_config.yaml"
fi
