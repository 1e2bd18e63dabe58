"""A flaw that can be planted in the club, and the check that must find it."""

from tests.clinic.flaws import Flaw

FLAWS = (
    Flaw(
        name="note-readable-by-others",
        title="Who knows the id of a note reads it.",
        seen_by="object-readable-by-other-user",
        seen_on=("GET /notes/{id}",),
    ),
    Flaw(
        name="note-changeable-by-others",
        title="Who knows the id of a note changes it.",
        seen_by="object-changeable-by-other-user",
        seen_on=("POST /notes/{id}",),
    ),
    Flaw(
        name="note-deletable-by-others",
        title="Who knows the id of a note deletes it.",
        seen_by="object-deletable-by-other-user",
        seen_on=("POST /notes/{id}/delete",),
    ),
    Flaw(
        name="chair-pages-open-to-members",
        title="The chair's pages are not linked for members, and that is all.",
        seen_by="operation-open-to-lower-role",
        seen_on=("GET /chair/members", "GET /chair/notices", "POST /chair/notices"),
    ),
    Flaw(
        name="booking-approves-itself",
        title="A form with one more field books and approves.",
        seen_by="privileged-property-accepted-on-create",
        seen_on=("POST /bookings",),
    ),
    Flaw(
        name="anybody-joins-as-chair",
        title="A form with one more field joins as the chair.",
        seen_by="privileged-property-accepted-on-create",
        seen_on=("POST /register",),
    ),
    Flaw(
        name="search-pasted-into-sql",
        title="The words of a search are pasted into the query.",
        seen_by="sql-injection",
        seen_on=("GET /notes",),
    ),
    Flaw(
        name="note-pasted-into-sql",
        title="The title of a new note is pasted into the query.",
        seen_by="sql-injection",
        seen_on=("POST /notes",),
    ),
    Flaw(
        name="note-shown-as-markup",
        title="The text of a note is shown as it was written, markup and all.",
        seen_by="cross-site-scripting",
        seen_on=("POST /notes", "POST /notes/{id}"),
    ),
    Flaw(
        name="login-knows-no-such-member",
        title="A login says that nobody has joined with that address.",
        seen_by="user-enumeration",
    ),
    Flaw(
        name="login-hashes-for-members-only",
        title="A login refuses an address that nobody has without hashing the password.",
        seen_by="user-enumeration-by-time",
    ),
)
