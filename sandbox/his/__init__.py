"""The hospital information system: a console that registers patients and receives our events."""
