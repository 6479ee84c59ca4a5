"""The desk: where moderators read requests and decide.

    door       who may come in; every view goes through it
    frame      what every page of the desk has: the way around, who is signed in, what was done a moment ago
    overview   how things stand, with figures and a chart
    queue      the requests, by tabs, with search, selection and keys
    request    one request with its whole story
    deciding   the decision, on one or on many, with the mail that will go out
    acts       the small things: claim, note, undo, reopen
    urls       a list of addresses for each part

Every POST is answered by a redirect, and everything works without JavaScript: the scripts add keys, selection and
figures that keep themselves up to date.
"""
