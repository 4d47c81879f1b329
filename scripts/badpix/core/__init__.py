"""Files, logs, errors and scratch disks: what every stage uses and what knows nothing of detectors."""
