#!/bin/sh
# What Snakemake asks of a job: status.sh ID prints running, success or failed. A job that PBS has forgotten failed.
said=$(qstat -x -f "$1" 2>/dev/null) || { echo failed; exit 0; }
state=$(printf '%s\n' "$said" | sed -n 's/^ *job_state = //p')
status=$(printf '%s\n' "$said" | sed -n 's/^ *Exit_status = //p')
case $state in
    F | C | X) [ "$status" = 0 ] && echo success || echo failed ;;
    *) echo running ;;
esac
