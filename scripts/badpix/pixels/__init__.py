"""One row per bad pixel, and pixels that are known to be bad."""
