"""The configuration: schema, checks, defaults, and the settings that the stages take from it."""
