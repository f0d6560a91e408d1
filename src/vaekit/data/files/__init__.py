"""Files that data comes in: where they lie, how they are fetched, and how each format reads."""
