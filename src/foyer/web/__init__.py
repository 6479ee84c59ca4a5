"""The pages: what people see in a browser.

`public/` holds the views of the front door. Everything a join needs lives under /register and /static, and every
link in a page is relative, so that any prefix and any proxy in front works.
"""
