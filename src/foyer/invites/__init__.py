"""Invitations: minting them, holding and spending their uses, and who came by which."""
