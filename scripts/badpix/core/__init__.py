"""Files, logs, errors and scratch directories: helpers of every stage, independent of detectors."""
