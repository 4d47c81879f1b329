#!/usr/bin/env bash
# Install Debian packages for tests: a real Slurm with disks of its nodes, and a browser. Tests that need a missing package are skipped.
set -euo pipefail
missing=()
for package in slurmctld slurmd slurm-client munge bindfs chromium fonts-dejavu-core; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || missing+=("$package")
done
[ ${#missing[@]} = 0 ] && exit 0
# The tests start their own daemons, so the packages must not start any.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy
    trap 'rm -f $policy' EXIT
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
