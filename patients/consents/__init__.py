"""The texts people agree to, one file per purpose and version: `<purpose>.<version>.txt`.

Nouns: text, version, hash. The first line of a file is its title, the rest its paragraphs.
Invariants: the highest version is the current one; a consent keeps the version and the hash of what
was read, so a file that somebody agreed to is never edited: a change is a new version, and whoever
agreed to the old one is asked again. Refuses: a purpose without a text.
"""
