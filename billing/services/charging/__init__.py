"""What the HIS sends and the bill it becomes: encounters, charges, invoices."""
