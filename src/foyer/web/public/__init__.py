"""The front door: landing, invitation, welcome. Open to everybody; no session, no ambient authority."""
