"""What the commands share: flags from dataclasses, tables on the terminal and as files."""
