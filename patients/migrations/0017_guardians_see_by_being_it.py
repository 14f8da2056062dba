"""A guardian sees by being it: what a guardian let themselves or others see is no grant any more.

A grant of before the 14th birthday was a guardian's, since a child has no account until then. A
person who gave one later gave it themselves, and it stays.
"""

from django.db import migrations

CLEAR = """
UPDATE patients_patientaccess AS access SET may_view = false
FROM patients_patient AS person
WHERE person.id = access.patient_id AND access.may_view AND access.relation <> 'self'
  AND (
    SELECT coalesce(max(event.created_at), access.created_at)
    FROM core_auditevent AS event
    WHERE event.subject = 'patients.patient' AND event.subject_id = access.patient_id::text
      AND event.action = 'access_granted' AND event.detail ->> 'grant' = 'view'
      AND event.detail ->> 'access' = access.id::text
  ) < (person.birth_date + interval '14 years') AT TIME ZONE 'Asia/Shanghai'
"""


class Migration(migrations.Migration):
    dependencies = [("patients", "0016_record_words"), ("core", "0001_initial")]

    operations = [migrations.RunSQL(CLEAR, migrations.RunSQL.noop)]
