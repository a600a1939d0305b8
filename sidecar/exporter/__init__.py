"""Telemetry on its way out: one thread, one cursor and one connection per OTLP backend."""
