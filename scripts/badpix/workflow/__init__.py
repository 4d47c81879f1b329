"""Helpers of the rules: digest of the library code, resources of jobs."""
