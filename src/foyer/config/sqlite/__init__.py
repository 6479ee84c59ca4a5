"""Django's SQLite backend with one writer at a time, waiting in line instead of colliding."""
