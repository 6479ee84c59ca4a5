"""Moderators and admins: who they are, what their role lets them do, and how they prove it.

They are made on the command line; nobody signs up. Pages and sessions are `foyer.web.staff`.
"""
