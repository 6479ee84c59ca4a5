"""What Django's admin shows of the rooms, for admins. Whatever it changes goes through the services.

It stands behind our own sign-in and its second factor: `foyer.web.staff.admin` has the site, and what is in it.
"""
