"""How moderators and admins sign in, keep their second factors, and are kept apart from everybody else.

The flows are allauth's; addresses, pages and words are ours. Only what `urls.py` maps exists: nobody signs up here,
and passwords are reset on the command line.
"""
