#!/bin/sh
# Status of a job for Snakemake: status.sh ID prints running, success or failed. A job unknown to PBS has failed.
output=$(qstat -x -f "$1" 2>/dev/null) || { echo failed; exit 0; }
state=$(printf '%s\n' "$output" | sed -n 's/^ *job_state = //p')
status=$(printf '%s\n' "$output" | sed -n 's/^ *Exit_status = //p')
case $state in
    F | C | X) [ "$status" = 0 ] && echo success || echo failed ;;
    *) echo running ;;
esac
