"""The patients' doors: sign-in, consents, family. Thin: they ask services and selectors.

Refuses: a stranger's question about somebody else; the answer is that there is nothing here.
"""
