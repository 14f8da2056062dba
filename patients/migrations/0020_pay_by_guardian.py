"""Whose word a grant to pay is: the patient's own, or the guardian's of a child below 14."""

from typing import ClassVar

from django.db import migrations, models

# Until now only the guardian on record could bind a child of that age, by the guardian's own code.
SAID_BY_GUARDIANS = """
UPDATE patients_patientaccess AS access SET by_guardian = true FROM patients_patient AS person
WHERE person.id = access.patient_id AND access.may_pay AND access.relation <> 'self'
  AND person.birth_date
    > (access.created_at AT TIME ZONE 'Asia/Shanghai')::date - interval '14 years'
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("patients", "0019_id_number_tails")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="patientaccess",
            name="by_guardian",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.RunSQL(SAID_BY_GUARDIANS, migrations.RunSQL.noop),
    ]
