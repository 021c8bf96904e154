"""A bound written as text: read from a whitelist of syntax, never evaluated as Python."""
