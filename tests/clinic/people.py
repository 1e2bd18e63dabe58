"""Who is known to a new clinic; the passwords are the tests' own."""

from dataclasses import dataclass

from werkzeug.security import generate_password_hash

from tests.clinic.store import Store

# As cheap as scrypt gets: tests log in often, and nobody attacks these hashes.
HASH_METHOD = "scrypt:1024:8:1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who can log in."""

    name: str
    role: str
    email: str
    password: str
    speciality: str = ""


ALICE = Person(
    name="Alice Archer",
    role="patient",
    email="alice@clinic.example",
    password="alice-takes-two-daily",
)
BOB = Person(
    name="Bob Baker", role="patient", email="bob@clinic.example", password="bob-fears-the-dentist"
)
DORA = Person(
    name="Dora Diaz",
    role="doctor",
    email="dora@clinic.example",
    password="dora-reads-the-x-rays",
    speciality="radiology",
)
ROOT = Person(
    name="Rita Root", role="admin", email="rita@clinic.example", password="rita-keeps-the-books"
)
EMIL = Person(
    name="Emil Engel",
    role="doctor",
    email="emil@clinic.example",
    password="emil-mends-old-bones",
    speciality="surgery",
)
PEOPLE = (ALICE, BOB, DORA, ROOT, EMIL)


def fill(store: Store) -> None:
    """The first people, and what the two patients have with the clinic already."""
    ids = {
        person.email: store.insert(
            "users",
            role=person.role,
            name=person.name,
            email=person.email,
            speciality=person.speciality,
            password_hash=generate_password_hash(person.password, HASH_METHOD),
        )
        for person in PEOPLE
    }
    for patient, reason in ((ALICE, "An X-ray of the left wrist."), (BOB, "A wisdom tooth.")):
        store.insert(
            "appointments",
            patient_id=ids[patient.email],
            doctor_id=ids[DORA.email],
            reason=reason,
            starts_at="2031-05-01T09:30:00+00:00",
        )
        store.insert(
            "messages",
            patient_id=ids[patient.email],
            doctor_id=ids[DORA.email],
            subject="Before we meet",
            text=f"{reason} May I eat before it?",
            sent_at="2026-01-05T10:00:00+00:00",
        )
