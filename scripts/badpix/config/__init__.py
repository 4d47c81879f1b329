"""The configuration: schema, checks, defaults, and the settings of the stages."""
