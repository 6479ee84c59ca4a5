"""Small pure pieces that every room may use: no tables, no settings, no network."""
