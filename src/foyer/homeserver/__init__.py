"""The homeserver: what we ask of it, and what its answers mean.

`port.py` says what can be asked, `errors.py` what can go wrong; adapters stand behind them and are chosen in `make.py`.
Nobody may ask inside a database transaction: an answer can take as long as the time-out allows.
"""
