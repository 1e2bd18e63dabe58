"""A club's website: forms, redirects, pages and flash messages in place of JSON.

The third API that the scan is proved on. It answers every write with 303, whether it did it or not;
what happened stands on the page that follows. It is careful unless told which precaution to leave
out.
"""
