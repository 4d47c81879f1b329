"""The files that stages hand over: a module per format, with its writer and its reader."""
