"""What tests share. The fixtures come into force where tests/conftest.py names these modules in `pytest_plugins`."""
