"""The command line: one small module a verb group, loaded when its verb is used."""
