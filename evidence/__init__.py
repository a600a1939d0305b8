"""The evidence model: events, runs, bundles, signals, packs, scores."""
