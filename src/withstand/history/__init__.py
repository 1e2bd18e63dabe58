"""The history: runs that are remembered in one SQLite file, and what they say of the next.

    database    opening the file: schema, other writers, sentences for what goes wrong
    schema      the tables, version by version
    runs        a run in, the same Results out
    trends      how operations did over comparable runs
    durations   how long tests took, in a file of their own
    retention   what is forgotten
    machine     what this machine is, and how fast at the moment
    commit      what was tested

Only those who ask for a history have one: nothing is written without a file that was named.
"""
