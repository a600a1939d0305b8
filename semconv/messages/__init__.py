"""The message model: bodies of any known shape, in the target's: messages, instructions, definitions of tools, documents."""
