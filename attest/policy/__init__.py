"""An auditor's policy: read, made sense of, and judged by."""
