#!/bin/sh
# Status of a job for Snakemake: status.sh ID prints running, success or failed.
# JobStatus: 1 idle, 2 running, 3 removed, 4 completed, 5 held, 6 transferring, 7 suspended.
for query in condor_q condor_history; do
    output=$($query "$1" -af JobStatus ExitCode 2>/dev/null | head -n 1)
    case $output in
        "4 0") echo success && exit ;;
        3* | 4* | 5*) echo failed && exit ;;
        ?*) echo running && exit ;;
    esac
done
# The job is between queue and history. Snakemake notices a job that stays in neither by its missing files.
echo running
