"""What the framework says in a refusal, in the words of this door.

The framework brings a Chinese of its own. A message named here is in our catalogue, and what ours
says goes before what theirs says; so a HIS reads one voice, whoever refused.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

FRAMEWORK_WORDS = (
    # how it was called
    _('Method "{method}" not allowed.'),
    _("Could not satisfy the request Accept header."),
    _('Unsupported media type "{media_type}" in request.'),
    _("Malformed request."),
    _("Not found."),
    _("A server error occurred."),
    # who called, and how often
    _("Authentication credentials were not provided."),
    _("Incorrect authentication credentials."),
    _("You do not have permission to perform this action."),
    _("Request was throttled."),
    _("Expected available in {wait} second."),
    _("Expected available in {wait} seconds."),
    # what the body holds
    _("Invalid input."),
    _("Invalid data. Expected a dictionary, but got {datatype}."),
    _('Expected a list of items but got type "{input_type}".'),
    _("This field is required."),
    _("This field may not be blank."),
    _("This field may not be null."),
    _("This list may not be empty."),
    _("Not a valid string."),
    _("A valid integer is required."),
    _("Must be a valid boolean."),
    _('"{input}" is not a valid choice.'),
    _("Ensure this field has no more than {max_length} characters."),
    _("Ensure this field has at least {min_length} characters."),
    _("Ensure this field has no more than {max_length} elements."),
    _("Ensure this field has at least {min_length} elements."),
    _("Ensure this value is less than or equal to {max_value}."),
    _("Ensure this value is greater than or equal to {min_value}."),
)
