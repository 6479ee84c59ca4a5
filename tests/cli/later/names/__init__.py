"""The migrations of the room `names` in that version."""
