#!/bin/sh
# What Snakemake asks of a job: status.sh ID prints running, success or failed.
# JobStatus: 1 idle, 2 running, 3 removed, 4 completed, 5 held, 6 transferring, 7 suspended.
for ask in condor_q condor_history; do
    said=$($ask "$1" -af JobStatus ExitCode 2>/dev/null | head -n 1)
    case $said in
        "4 0") echo success && exit ;;
        3* | 4* | 5*) echo failed && exit ;;
        ?*) echo running && exit ;;
    esac
done
# Between the queue and the history for a moment; a job that is in neither for long is found by its missing files.
echo running
