"""The process beside the agent: receivers, journal, recorder, exporters, settings, health and the command line."""
