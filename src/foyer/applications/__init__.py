"""Applications: somebody asks for an account, proves an email, says why; moderators decide; the account opens.

    arriving    start → a code is mailed → verify → the name is claimed → (choose another name)
    submitting  answers and password → the account is held → the moderators are told
    waiting     reply, withdraw, renew, choose freely where the name was lost
    decisions   approve, deny, ask, undo, reopen; one, or many
    effects     what a decision owes, a minute later: open, invite, shelve, mail
    retention   what lapses, expires, is erased

`services` names what the public door may call, `decisions` what the desk, the command line and the API may.

States

    unverified ─verify→ verified ─submit→ waiting ⇄ asked              claims the name
    waiting | asked ─approve→ approved ─opened→ done                   done: for good
                    ─deny→ denied ─reopen→ waiting
    approved | denied ─undo→ as before, while the effects have not started
    asked, silent 30 days; approved, link not used ─→ lapsed ─renew→ waiting; approved
    unverified | verified ─retention→ expired
    any but done, denied, expired ─withdraw→ withdrawn                  erased at once

| state      | has the name               | ends       | retention                              |
|------------|----------------------------|------------|----------------------------------------|
| unverified | no                         |            | expires after `retention.unverified`   |
| verified   | yes, unless it was lost    |            | expires after `retention.unverified`   |
| waiting    | yes                        |            | never                                  |
| asked      | yes                        |            | lapses after 30 silent days            |
| approved   | yes, or its invitation has |            | lapses when its invitation runs out    |
| denied     | until the effects          | at effects | deleted after `retention.decided`      |
| done       | its account has            | yes        | deleted after `retention.decided`      |
| lapsed     | no                         | yes        | deleted after `retention.decided`      |
| withdrawn  | no                         | yes        | deleted after `retention.decided`      |
| expired    | no                         | yes        | deleted after `retention.decided`      |

Every move is one UPDATE from the states it may come from, whose row count is checked, with its audit row, its jobs and
its claims in the same transaction. Whoever comes second changes nothing and hears who was first (`WrongState`).

Nobody's secret is in a table. The six digits, the key of the mailed link and the key of the status page are worked
out from the secret key whenever they are needed (`keys`); the password goes to the homeserver in the one request that
brings it, and what that request does not finish is chosen again later, by a link.

An unverified row has no claim on its name and no say over its email: anybody can have made it. So a name is answered
for only after an email was proven, and an application counts as an email's own only from then on.
"""
