"""matrix-registration's outside, kept wire for wire, so that its pages, scripts and proxy rules go on working.

`register` is its sign-up, `tokens` its API of 0.9, `tokens_07` that of 0.7 and 0.8, `cli_words` its two commands.
`matrix` is the one route of the Matrix specification that a front door answers. docs/legacy-api.md shows each by a
curl, and says where ours differs and why.
"""
