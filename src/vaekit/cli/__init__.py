"""The command line: one verb per file. Wires rooms, prints, exits."""
