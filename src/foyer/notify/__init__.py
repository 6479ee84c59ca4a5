"""What is said to whom, and the record of it.

A room that has something to say registers how it is put into words (`registry.renders`) and owes it in the transaction
that makes it due (`services.deliver`). The words are made when they are sent, from the tables as they are then: no row
and no job ever holds a code, a key or what a person wrote.
"""
