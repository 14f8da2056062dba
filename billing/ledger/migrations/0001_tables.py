"""The tables; a composite key needs its foreign keys in the same CREATE."""

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='LedgerAccount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=128)),
                ('family', models.CharField(max_length=32)),
                ('kind', models.CharField(choices=[('asset', 'ASSET'), ('liability', 'LIABILITY'), ('equity', 'EQUITY'), ('income', 'INCOME'), ('expense', 'EXPENSE')], max_length=16)),
                ('needs_subject', models.BooleanField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'db_table': 'ledger_account',
            },
        ),
        migrations.CreateModel(
            name='JournalEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reference', models.CharField(max_length=96)),
                ('event', models.CharField(max_length=40)),
                ('occurred_at', models.DateTimeField()),
                ('created_at', models.DateTimeField()),
                ('business_day', models.DateField()),
                ('invoice_id', models.BigIntegerField(null=True)),
                ('posting_count', models.SmallIntegerField()),
            ],
            options={
                'db_table': 'ledger_entry',
            },
        ),
        migrations.CreateModel(
            name='Posting',
            fields=[
                ('pk', models.CompositePrimaryKey('entry_id', 'line_no', blank=True, editable=False, primary_key=True, serialize=False)),
                ('entry', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='postings', to='ledger.journalentry')),
                ('account', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='postings', to='ledger.ledgeraccount')),
                ('subject', models.BigIntegerField(default=0)),
                ('amount_fen', models.BigIntegerField()),
                ('business_day', models.DateField()),
                ('line_no', models.SmallIntegerField()),
            ],
            options={
                'db_table': 'ledger_posting',
            },
        ),
        migrations.CreateModel(
            name='ClosedDay',
            fields=[
                ('day', models.DateField(primary_key=True, serialize=False)),
                ('closed_at', models.DateTimeField()),
                ('entry_count', models.BigIntegerField()),
                ('posting_count', models.BigIntegerField()),
                ('account_count', models.BigIntegerField()),
                ('debit_fen', models.BigIntegerField()),
            ],
            options={
                'db_table': 'ledger_closed_day',
            },
        ),
        migrations.CreateModel(
            name='DaySnapshot',
            fields=[
                ('pk', models.CompositePrimaryKey('account_id', 'day', blank=True, editable=False, primary_key=True, serialize=False)),
                ('account', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='snapshots', to='ledger.ledgeraccount')),
                ('day', models.DateField()),
                ('debit_fen', models.BigIntegerField()),
                ('credit_fen', models.BigIntegerField()),
                ('balance_fen', models.BigIntegerField()),
            ],
            options={
                'db_table': 'ledger_day_snapshot',
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='closedday',
            trigger=pgtrigger.compiler.Trigger(name='ledger_closed_day_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';", hash='710f43e88329f7a950e7affc83d4da88577f7aa5', level='STATEMENT', operation='UPDATE OR DELETE OR TRUNCATE', pgid='pgtrigger_ledger_closed_day_append_only_0c689', table='ledger_closed_day', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='journalentry',
            index=models.Index(condition=models.Q(('invoice_id__isnull', False)), fields=['invoice_id'], name='ledger_entry_invoice'),
        ),
        migrations.AddConstraint(
            model_name='journalentry',
            constraint=models.UniqueConstraint(fields=('reference',), name='ledger_entry_reference'),
        ),
        migrations.AddConstraint(
            model_name='journalentry',
            constraint=models.CheckConstraint(condition=models.Q(('posting_count__gte', 2)), name='ledger_entry_two_legs'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='journalentry',
            trigger=pgtrigger.compiler.Trigger(name='ledger_entry_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';", hash='8d91dbc89c11d8175bfdafe30d74da1393c594d8', level='STATEMENT', operation='UPDATE OR DELETE OR TRUNCATE', pgid='pgtrigger_ledger_entry_append_only_a927f', table='ledger_entry', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='ledgeraccount',
            constraint=models.UniqueConstraint(fields=('code',), name='ledger_account_code'),
        ),
        migrations.AddConstraint(
            model_name='ledgeraccount',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['asset', 'liability', 'equity', 'income', 'expense'])), name='ledger_account_kind'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ledgeraccount',
            trigger=pgtrigger.compiler.Trigger(name='ledger_account_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';", hash='aa2930cb722e855d69b7b22d5050f44062a984d5', level='STATEMENT', operation='UPDATE OR DELETE OR TRUNCATE', pgid='pgtrigger_ledger_account_append_only_dd625', table='ledger_account', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='daysnapshot',
            constraint=models.CheckConstraint(condition=models.Q(('balance_fen', django.db.models.expressions.CombinedExpression(models.F('debit_fen'), '-', models.F('credit_fen')))), name='ledger_day_snapshot_adds_up'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='daysnapshot',
            trigger=pgtrigger.compiler.Trigger(name='ledger_day_snapshot_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';", hash='971a6d0b6d81408ccf440ad96d786f79ff5b3e13', level='STATEMENT', operation='UPDATE OR DELETE OR TRUNCATE', pgid='pgtrigger_ledger_day_snapshot_append_only_cf203', table='ledger_day_snapshot', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='posting',
            index=models.Index(fields=['account', 'business_day'], name='ledger_posting_day'),
        ),
        migrations.AddIndex(
            model_name='posting',
            index=models.Index(condition=models.Q(('subject__gt', 0)), fields=['account', 'subject'], name='ledger_posting_subject'),
        ),
        migrations.AddIndex(
            model_name='posting',
            index=django.contrib.postgres.indexes.BrinIndex(autosummarize=True, fields=['business_day'], name='ledger_posting_brin'),
        ),
        migrations.AddConstraint(
            model_name='posting',
            constraint=models.CheckConstraint(condition=models.Q(('amount_fen', 0), _negated=True), name='ledger_posting_not_zero'),
        ),
        migrations.AddConstraint(
            model_name='posting',
            constraint=models.CheckConstraint(condition=models.Q(('subject__gte', 0)), name='ledger_posting_subject_set'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='posting',
            trigger=pgtrigger.compiler.Trigger(name='ledger_posting_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';", hash='b4b0374e43deed8080bb01ac1e3bb2529b0b821b', level='STATEMENT', operation='UPDATE OR DELETE OR TRUNCATE', pgid='pgtrigger_ledger_posting_append_only_c7f47', table='ledger_posting', when='BEFORE')),
        ),
    ]
