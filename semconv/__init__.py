"""Translates agent telemetry to the GenAI and MCP semantic conventions and accounts for every atom of it."""
