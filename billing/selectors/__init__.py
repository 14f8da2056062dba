"""Questions about bills and money; nothing here writes."""
