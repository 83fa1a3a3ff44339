"""Carrying a plan out: guards, pages one by one or side by side, and one outcome for each.

    guards      what is not done without being told so explicitly, before the first write
    run         the order, how many at once, what stops all of them
    page        one page on its way to what its file wants: a lost answer is settled by reading
    view        the live pages, never older than a write may be based on
    stored      what the service has, compared with what was wanted, in words
    parts       how much of a page was written, in words
    outcomes    what became of each page

It knows a service of a few methods (`remote`), no HTTP and no terminal; clock and sleep are arguments.
"""
