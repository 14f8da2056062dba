"""The pages of the window; each gathers by a selector, acts by a service, answers by a template."""
