"""The one language of checks, for signals and for packs, and its evaluation over a stream of events."""
