"""What only the rules use: digest of the library, resources of jobs."""
